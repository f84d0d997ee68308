/* A stand-in for a VISA library: viWrite and nothing else. The session is a descriptor.
 *
 * "refuse" is answered with an error, "half" with a short count; a peer that does not read makes
 * it wait for ever, as a library with an infinite time-out does.
 */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define VI_SUCCESS 0
#define VI_ERROR_IO (-1073807298) /* 0xBFFF003E */

int32_t viWrite(uint32_t session, const uint8_t *data, uint32_t size, uint32_t *written);

int32_t viWrite(uint32_t session, const uint8_t *data, uint32_t size, uint32_t *written) {
    uint32_t wanted = size == 4 && memcmp(data, "half", 4) == 0 ? 2 : size;
    *written = 0;
    if (size == 6 && memcmp(data, "refuse", 6) == 0) {
        return VI_ERROR_IO;
    }
    while (*written < wanted) {
        ssize_t sent = write((int)session, data + *written, wanted - *written);
        if (sent <= 0) {
            return VI_ERROR_IO;
        }
        *written += (uint32_t)sent;
    }
    return VI_SUCCESS;
}
