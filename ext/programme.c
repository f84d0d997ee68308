/* See programme.h. */
#include "programme.h"

#include <string.h>

#include "clock.h"

#define RETRY_NS 1000000LL /* between two writes to a full wire */
#define TRIES 200          /* then the step is given up: a fifth of a second */

void programme_start(struct playing *playing, int64_t now_ns) {
    memset(playing, 0, sizeof *playing);
    playing->start_ns = now_ns;
    playing->retry_ns = now_ns;
}

static void finish(struct playing *playing, size_t i, const struct safe_step *step, int64_t due_ns,
                   const struct player *player, int64_t end) {
    playing->steps[i].done = 1;
    if (end > 0) {
        playing->sent_steps++;
    } else {
        playing->lost_steps++;
    }
    player->note(player->self, step, due_ns, end);
}

/* One write of one step; 1 when the step is over. */
static int advance(struct playing *playing, size_t i, const struct safe_step *step, int64_t due_ns,
                   const struct player *player) {
    uint32_t sent = playing->steps[i].sent;
    int64_t end = player->send(player->self, step->channel, step->data + sent, step->size - sent);
    if (end > 0) {
        playing->steps[i].sent = sent + (uint32_t)end;
    }
    if (playing->steps[i].sent == step->size) {
        finish(playing, i, step, due_ns, player, (int64_t)step->size);
        return 1;
    }
    if (end < 0 || ++playing->steps[i].tries >= TRIES) {
        finish(playing, i, step, due_ns, player, end < 0 ? end : 0);
        return 1;
    }
    return 0;
}

int64_t programme_play(const struct programme *programme, struct playing *playing, int64_t now_ns,
                       const struct player *player) {
    int64_t next_ns = CLOCK_NEVER;
    int64_t retry_ns = playing->retry_ns;
    uint64_t waiting = 0; /* channels with a step not over: their later steps keep the order */
    for (size_t i = 0; i < programme->count; i++) {
        const struct safe_step *step = &programme->steps[i];
        uint64_t bit = UINT64_C(1) << ((uint32_t)step->channel % LBL_CHANNELS);
        int64_t due_ns = playing->start_ns + step->delay_ns;
        if (playing->steps[i].done || (waiting & bit) != 0) {
            continue;
        }
        if (playing->steps[i].tries > 0 && due_ns < retry_ns) {
            due_ns = retry_ns;
        }
        if (due_ns <= now_ns) {
            if (advance(playing, i, step, playing->start_ns + step->delay_ns, player)) {
                continue;
            }
            playing->retry_ns = now_ns + RETRY_NS;
            due_ns = playing->retry_ns;
        }
        waiting |= bit;
        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    return next_ns;
}
