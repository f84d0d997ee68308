/* See wire.h. Must never block, retry without bound, or raise SIGPIPE. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 8 /* of a write that signals interrupt; the pacer blocks them, others may not */

int wire_open(struct wire *wire, int fd) {
    struct stat file;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &file) < 0) {
        return -errno;
    }
    if ((flags & O_ACCMODE) == O_RDONLY) {
        return -EBADF;
    }
    wire->fd = fd;
    wire->is_socket = S_ISSOCK(file.st_mode);
    wire->device = file.st_dev;
    wire->inode = file.st_ino;
    if (!wire->is_socket && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return -errno;
    }
    return 0;
}

int64_t wire_send(const struct wire *wire, const uint8_t *data, size_t size) {
    struct stat file;
    if (fstat(wire->fd, &file) < 0) {
        return -errno;
    }
    if (file.st_dev != wire->device || file.st_ino != wire->inode) {
        return -EBADF;
    }
    for (int tries = 0; tries < TRIES; tries++) {
        ssize_t sent = wire->is_socket ? send(wire->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                       : write(wire->fd, data, size);
        if (sent >= 0) {
            return (int64_t)sent;
        }
        if (errno == EAGAIN || errno == ENOBUFS) {
            return 0;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}
