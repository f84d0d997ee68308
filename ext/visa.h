/* A VISA library's viWrite as a wire (VPP-4.3.2, viWrite), in a thread of its own.
 *
 * viWrite may take as long as its library's time-out, and nobody else may wait for that: the pacer
 * hands the bytes over, and the thread says when they are delivered or refused. One job at a time.
 * Must never be used after its library is unloaded; a call that does not return cannot be ended.
 */
#ifndef LBL_VISA_H
#define LBL_VISA_H

#include <stddef.h>
#include <stdint.h>

/* ViStatus viWrite(ViSession, ViConstBuf, ViUInt32, ViPUInt32): negative is an error. */
typedef int32_t (*visa_write)(uint32_t session, const uint8_t *data, uint32_t size,
                              uint32_t *written);

struct visa;

struct visa_call {
    visa_write write;
    uint32_t session;
    int32_t channel;
    void *self;
    /* Told by the thread after each job; error: 0 or an errno. */
    void (*done)(void *self, int32_t channel, int64_t entry, int error);
};

/* Starts the thread; NULL with errno set. */
struct visa *visa_open(const struct visa_call *call);

/* Hands bytes over (at most LBL_DATA_MAX); returns `size`, or 0 while a job is under way. `entry`
 * is told again when the job is done. */
int64_t visa_send(struct visa *visa, const uint8_t *data, size_t size, int64_t entry);

int visa_idle(const struct visa *visa);

/* Ends the thread and frees it; EBUSY, and nothing is freed, when viWrite does not return. */
int visa_close(struct visa *visa);

#endif
