/* A descriptor that commands go out on, written to without ever blocking.
 *
 * Must never write to another file than the one it was opened on: a closed number is soon given to
 * something else, so the file behind it is compared before each write.
 */
#ifndef LBL_WIRE_H
#define LBL_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct wire {
    int fd;
    int is_socket;
    dev_t device;
    ino_t inode;
};

/* Takes note of `fd` (it stays the caller's); 0 or a negative errno. What is no socket is set to
 * non-blocking: only a socket can be told so write by write. */
int wire_open(struct wire *wire, int fd);

/* Bytes accepted, 0 when the peer's buffers are full, or a negative errno. Never blocks. */
int64_t wire_send(const struct wire *wire, const uint8_t *data, size_t size);

#endif
