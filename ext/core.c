/* The life of a core, its small questions, and the ring of what was planned and what happened.
 * See core.h. */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "core.h"

#define FAR_NS 4e18  /* as far ahead as a scaled clock looks: a century, and no overflow */
#define ROUNDINGS 64 /* of a double, in ns, over a century */

int core_init(struct core *core, int virtual_clock, int64_t start_ns) {
    core->virtual_clock = virtual_clock;
    core->process = getpid();
    atomic_store(&core->virtual_ns, start_ns);
    atomic_store(&core->programmes[0].state, PROGRAMME_READY);
    int error = bell_init(&core->work);
    error = error != 0 ? error : bell_init(&core->wakes);
    return error != 0 ? error : bell_init(&core->steps);
}

void core_scale(struct core *core, int64_t start_ns, double speed) {
    core->speed = speed;
    core->start_ns = start_ns;
    core->anchor_ns = clock_now();
}

/* A forked child has no threads to end. */
int core_destroy(struct core *core) {
    int error = 0;
    for (size_t i = 0; i < LBL_CHANNELS && core->process == getpid(); i++) {
        struct channel *channel = &core->channels[i];
        if (channel->visa != NULL && visa_close(channel->visa) != 0) {
            error = EBUSY;
        }
    }
    if (error != 0) {
        return error;
    }
    bell_destroy(&core->work);
    bell_destroy(&core->wakes);
    bell_destroy(&core->steps);
    return 0;
}

static int64_t scaled(const struct core *core, int64_t real_ns) {
    double ahead_ns = (double)(real_ns - core->anchor_ns) * core->speed;
    return core->start_ns + (int64_t)(ahead_ns < FAR_NS ? ahead_ns : FAR_NS);
}

int64_t core_now(struct core *core) {
    if (core->virtual_clock) {
        return atomic_load(&core->virtual_ns);
    }
    return core->speed > 0.0 ? scaled(core, clock_now()) : clock_now();
}

/* Rounded up: a wait that has ended has reached its deadline on both clocks. */
int64_t core_real(const struct core *core, int64_t at_ns) {
    if (core->speed <= 0.0 || at_ns == CLOCK_NEVER) {
        return at_ns;
    }
    double ahead_ns = (double)(at_ns - core->start_ns) / core->speed;
    if (ahead_ns <= 0.0) {
        return core->anchor_ns;
    }
    int64_t real_ns = core->anchor_ns + (int64_t)(ahead_ns < FAR_NS ? ahead_ns : FAR_NS);
    for (int tries = 0; tries < ROUNDINGS && scaled(core, real_ns) < at_ns; tries++) {
        real_ns++;
    }
    return real_ns;
}

void core_ring(struct core *core) {
    bell_ring(&core->work);
}

void core_set_now(struct core *core, int64_t now_ns) {
    if (now_ns > atomic_load(&core->virtual_ns)) {
        atomic_store(&core->virtual_ns, now_ns);
    }
}

/* A sleeper on a scaled virtual clock waits for work too, so both bells are rung. */
void core_wake(struct core *core) {
    bell_ring(&core->wakes);
    if (core->virtual_clock) {
        core_ring(core);
    }
}

void core_lease(struct core *core, int64_t until_ns) {
    int64_t before_ns = atomic_exchange(&core->lease_ns, until_ns);
    /* A lease that grows wakes nobody: the pacer looks at the old end and finds the new one. */
    if (until_ns != 0 && (before_ns == 0 || until_ns < before_ns)) {
        core_ring(core);
    }
}

int core_held(struct core *core) {
    return atomic_load(&core->held);
}

int core_parking(struct core *core) {
    return atomic_load(&core->parking);
}

int core_verdict(struct core *core, int32_t *channel, int64_t *entry, int *error) {
    int reason = atomic_load(&core->verdict.reason);
    *channel = atomic_load(&core->verdict.channel);
    *entry = atomic_load(&core->verdict.entry);
    *error = atomic_load(&core->verdict.error);
    return reason;
}

int64_t core_lost(struct core *core) {
    return (int64_t)atomic_load(&core->lost);
}

void core_record(struct core *core, const struct record *record) {
    uint64_t at = atomic_load(&core->recorded);
    if (at - atomic_load(&core->drained) >= LBL_RECORDS) {
        atomic_fetch_add(&core->lost, 1);
        return;
    }
    core->records[at % LBL_RECORDS] = *record;
    atomic_store(&core->recorded, at + 1);
}

size_t core_recorded(struct core *core) {
    return (size_t)(atomic_load(&core->recorded) - atomic_load(&core->drained));
}

size_t core_drain(struct core *core, struct record *records, size_t room) {
    uint64_t at = atomic_load(&core->drained);
    uint64_t end = atomic_load(&core->recorded);
    size_t count = 0;
    while (at != end && count < room) {
        records[count++] = core->records[at++ % LBL_RECORDS];
    }
    atomic_store(&core->drained, at);
    return count;
}
