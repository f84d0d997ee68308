/* Every entrance of the core at once, in plain C, so that sanitizers see all of it.
 *
 * One thread arms and confirms, one owns and collects, one reads the far ends, one holds, clears,
 * parks, leases and replaces the safe programme, while the pacer fires. At the end the books must
 * balance: each entry fired, missed or dropped, and as many bytes read as were fired or safe.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "core.h"
#include "guardian.h"

#define WIRES 3 /* the last one by way of a VISA library */
#define RUN_NS 400000000LL
#define TEXT "abcdefg"
#define TEXT_SIZE 7
#define SAFE_SIZE 3

static struct core core;
static int far[WIRES];
static int32_t channels[WIRES];
static int64_t end_ns;
static _Atomic int armed, collected, bytes, wakes, escaped;

static int going(void) {
    return clock_now() < end_ns;
}

/* viWrite as a library might do it: now and then it takes its time. */
static int32_t write_visa(uint32_t session, const uint8_t *data, uint32_t size,
                          uint32_t *written) {
    static int calls;
    if (calls++ % 16 == 0) {
        usleep(2000);
    }
    ssize_t sent = send((int)session, data, size, MSG_NOSIGNAL);
    *written = sent > 0 ? (uint32_t)sent : 0;
    return sent > 0 ? 0 : -1073807298; /* VI_ERROR_IO */
}

static void *arm(void *unused) {
    int64_t last = 0;
    while (going()) {
        int64_t at_ns = clock_now() + 50000;
        struct order order = {.channel = channels[armed % WIRES],
                              .replies = 1,
                              .deadline_ns = at_ns,
                              .latest_ns = at_ns + (armed % 50 == 0 ? 1000 : 50000000),
                              .data = (const uint8_t *)TEXT,
                              .size = TEXT_SIZE};
        int64_t entry = core_arm(&core, &order);
        if (entry > 0) {
            armed++;
            core_confirm(&core, entry);
            last = entry;
        }
        core_entry(&core, last, &at_ns);
        if (armed % 8 == 0) {
            pacer_settle(&core, clock_now());
        }
    }
    return unused;
}

static void *own(void *unused) {
    for (int i = 0; going(); i++) {
        int32_t channel = channels[i % WIRES];
        int32_t replies = core_acquire(&core, channel, i % 3 * 1000);
        if (replies >= 0) {
            core_collected(&core, channel, replies);
            collected += replies;
            core_release(&core, channel);
        }
    }
    return unused;
}

static void *read_far(void *unused) {
    uint8_t data[4096];
    struct record records[64];
    int quiet = 0;
    while (quiet < 20) {
        quiet = going() ? 0 : quiet + 1;
        for (int i = 0; i < WIRES; i++) {
            ssize_t size = recv(far[i], data, sizeof data, MSG_DONTWAIT);
            bytes += size > 0 ? (int)size : 0;
        }
        core_drain(&core, records, 64);
        usleep(500);
    }
    return unused;
}

static int fired_slots(void) {
    int count = 0;
    for (size_t i = 0; i < LBL_ENTRIES; i++) {
        count += core_state(atomic_load(&core.heads[i].word)) == ENTRY_FIRED;
    }
    return count;
}

/* Once a hold has returned, no entry fires. */
static void stay_held(void) {
    int before = fired_slots();
    usleep(200);
    escaped += fired_slots() > before;
}

static void *command(void *unused) {
    struct programme *programme = calloc(1, sizeof *programme);
    int32_t channel;
    int64_t entry;
    int error;
    for (int i = 0; going(); i++) {
        programme->count = WIRES;
        for (int step = 0; step < WIRES; step++) {
            programme->steps[step].delay_ns = step * 100000;
            programme->steps[step].channel = channels[step];
            programme->steps[step].size = SAFE_SIZE;
        }
        core_set_programme(&core, programme);
        core_lease(&core, clock_now() + (i % 7 == 0 ? 0 : 60000000000LL));
        if (i % 3 == 0) {
            core_hold(&core);
            stay_held();
        } else if (i % 5 == 0) {
            core_park(&core);
        }
        core_verdict(&core, &channel, &entry, &error);
        core_wake(&core);
        usleep(300);
        core_clear(&core);
        usleep(700);
    }
    core_lease(&core, 0);
    free(programme);
    return unused;
}

static void *wait_for_wakes(void *unused) {
    while (going()) {
        uint32_t seen = bell_count(&core.wakes);
        wakes += bell_wait(&core.wakes, seen, clock_now() + 2000000) == CLOCK_RUNG;
    }
    return unused;
}

/* Fired and safe bytes, counted by the writer; the reader counted what came. */
static int balance(void) {
    int uncollected = 0;
    int unfinished = 0;
    for (int i = 0; i < WIRES; i++) {
        uncollected += atomic_load(&core.channels[channels[i]].uncollected);
    }
    for (size_t i = 0; i < LBL_ENTRIES; i++) {
        enum entry_state state = core_state(atomic_load(&core.heads[i].word));
        unfinished += state == ENTRY_ARMED || state == ENTRY_CONFIRMED || state == ENTRY_FIRING;
    }
    int fired = collected + uncollected;
    int safe = bytes - fired * TEXT_SIZE;
    printf("armed %d fired %d safe bytes %d wakes %d left %d active %d escaped %d\n", armed, fired,
           safe, wakes, unfinished, atomic_load(&core.active), escaped);
    return escaped == 0 && fired > 0 && safe >= 0 && safe % SAFE_SIZE == 0 && unfinished == 0 &&
           atomic_load(&core.active) == 0;
}

int main(void) {
    void *(*const parts[])(void *) = {arm, own, read_far, command, wait_for_wakes};
    pthread_t threads[5];
    struct guardian guardian = {0};
    int64_t deadlines_ns[3], woken_ns[3];
    if (core_init(&core, 0, 0) != 0 || pacer_start(&core) != 0 || guardian_start(&guardian) != 0) {
        return 2;
    }
    for (int i = 0; i < WIRES; i++) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
            return 2;
        }
        far[i] = ends[1];
        if (i == WIRES - 1) {
            channels[i] = core_add_visa(&core, write_visa, (uint32_t)ends[0]);
            continue;
        }
        channels[i] = core_add_wire(&core, ends[0]);
        guardian_give(&guardian, GUARDIAN_ADD, channels[i], ends[0]);
    }
    end_ns = clock_now() + RUN_NS;
    for (int i = 0; i < 5; i++) {
        pthread_create(&threads[i], NULL, parts[i], NULL);
    }
    for (int i = 0; i < 5; i++) {
        pthread_join(threads[i], NULL);
        core_hold(&core);
    }
    for (int i = 0; i < 3; i++) {
        deadlines_ns[i] = clock_now() + i * 1000000;
    }
    int error = control_loop(deadlines_ns, woken_ns, 3, 0, -1);
    pacer_stop(&core);
    error |= core_remove(&core, channels[0]);
    error |= core_remove(&core, channels[WIRES - 1]);
    error |= guardian_release(&guardian);
    error |= core_destroy(&core);
    return error == 0 && balance() ? 0 : 1;
}
