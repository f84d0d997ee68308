/* The safe programme: timed bytes that make the instruments harmless, played by whoever is alive.
 *
 * The pacer plays it when the lease has passed or on park; the guardian plays the same code when
 * the controller is gone. A step that fails is skipped and noted; a full wire holds up only its own
 * channel, and only for a bounded time. Must never wait, and never stop for one bad instrument.
 */
#ifndef LBL_PROGRAMME_H
#define LBL_PROGRAMME_H

#include <stddef.h>
#include <stdint.h>

#define LBL_STEPS 64
#define LBL_DATA_MAX 256
#define LBL_CHANNELS 64 /* a bit each in a 64-bit word */

struct safe_step {
    int64_t delay_ns; /* after the start of the programme */
    int32_t channel;
    uint32_t size;
    uint8_t data[LBL_DATA_MAX];
};

struct programme {
    uint32_t count;
    struct safe_step steps[LBL_STEPS]; /* by rising delay */
};

struct playing {
    int64_t start_ns;
    int64_t retry_ns;
    uint32_t sent_steps;
    uint32_t lost_steps;
    struct {
        uint32_t sent;
        uint16_t tries;
        uint16_t done;
    } steps[LBL_STEPS];
};

struct player {
    void *self;
    /* as wire_send; `self` knows the channels */
    int64_t (*send)(void *self, int32_t channel, const uint8_t *data, size_t size);
    /* told once a step: bytes sent, 0 choked, or a negative errno */
    void (*note)(void *self, const struct safe_step *step, int64_t due_ns, int64_t end);
};

void programme_start(struct playing *playing, int64_t now_ns);

/* Sends what is due; returns when to call again, CLOCK_NEVER once every step is over. */
int64_t programme_play(const struct programme *programme, struct playing *playing, int64_t now_ns,
                       const struct player *player);

#endif
