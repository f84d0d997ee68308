/* The guardian's own life: watch, kill, park, give up the lock. See guardian.h.
 *
 * It runs in a child forked from a process with threads, so it may use nothing that a lock held by
 * another thread at that moment could block: no stdio, no allocation.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "guardian.h"
#include "wire.h"

#define LISTEN_FD 3
#define POLL_MS 20
#define TRACED_POLLS 50 /* a tracer stops it for moments; one that sits on it stops it */
#define KILL_POLLS 200  /* of a millisecond: by then it runs no more code of its own */
#define EXITING 0x4UL   /* PF_EXITING, include/linux/sched.h */
#define HIGHEST_FD 65536
#define SECOND_NS 1000000000LL

enum condition { WELL, STOPPED, TRACED, DEAD };

/* Static, for the child's alone: its stack is that of whichever thread forked it. */
static struct {
    int pidfd;
    int stat_fd;
    int lock_fd;
    int note_fd;
    int traced;
    int listening;
    struct wire wires[LBL_CHANNELS];
    struct guardian_message message;
    struct programme programme;
    struct playing playing;
} self;

static volatile sig_atomic_t asked; /* `lbl abort` reaches the guardian without the controller */

static void on_ask(int number) {
    (void)number;
    asked = 1;
}

static void answer(int32_t error) {
    send(LISTEN_FD, &error, sizeof error, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void close_from(unsigned first) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0U) == 0) {
        return;
    }
#endif
    for (unsigned fd = first; fd < HIGHEST_FD; fd++) {
        close((int)fd);
    }
}

/* Pipes of the parent would keep its readers waiting; a terminal would send its signals. */
static int detach(int socket) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction ask = {.sa_handler = on_ask};
    sigset_t none;
    for (int number = 1; number < NSIG; number++) {
        sigaction(number, &ignore, NULL);
    }
    sigaction(SIGUSR1, &ask, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    prctl(PR_SET_NAME, "lbl-guardian", 0UL, 0UL, 0UL);
    if (chdir("/") < 0 || dup2(socket, LISTEN_FD) < 0) {
        return errno;
    }
    for (int fd = 0; fd < LISTEN_FD; fd++) {
        close(fd);
    }
    close_from(LISTEN_FD + 1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    return null == 0 && dup2(0, 1) == 1 && dup2(0, 2) == 2 ? 0 : EBADF;
}

/* "/proc/<pid>/stat", kept open: it never turns into another process of the same number. */
static int open_stat(pid_t controller) {
    char path[40] = "/proc/";
    char digits[16];
    size_t end = strlen(path), count = 0;
    for (pid_t left = controller; left > 0 && count < sizeof digits; left /= 10) {
        digits[count++] = (char)('0' + left % 10);
    }
    while (count > 0) {
        path[end++] = digits[--count];
    }
    memcpy(path + end, "/stat", sizeof "/stat");
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int observe(pid_t controller) {
    self.lock_fd = self.note_fd = -1;
    self.listening = 1;
    for (size_t i = 0; i < LBL_CHANNELS; i++) {
        self.wires[i].fd = -1;
    }
    self.pidfd = (int)syscall(SYS_pidfd_open, controller, 0U);
    self.stat_fd = self.pidfd < 0 ? -1 : open_stat(controller);
    if (self.pidfd < 0 || self.stat_fd < 0) {
        return errno;
    }
    return getppid() == controller ? 0 : ESRCH; /* else the number is another's by now */
}

/* State and PF_EXITING from proc(5); a pidfd tells only once all of its memory is gone. */
static enum condition read_stat(void) {
    char text[512];
    ssize_t size = pread(self.stat_fd, text, sizeof text - 1, 0);
    if (size <= 0) {
        return DEAD;
    }
    text[size] = '\0';
    const char *at = strrchr(text, ')');
    unsigned long flags = 0;
    if (at == NULL || at[1] == '\0') {
        return WELL;
    }
    char state = at[2];
    for (int field = 3; field <= 9 && at != NULL; field++) {
        at = strchr(at + 1, ' ');
    }
    for (at = at != NULL ? at + 1 : ""; *at >= '0' && *at <= '9'; at++) {
        flags = flags * 10 + (unsigned long)(*at - '0');
    }
    if (state == 'Z' || state == 'X' || (flags & EXITING) != 0) {
        return DEAD;
    }
    return state == 'T' ? STOPPED : state == 't' ? TRACED : WELL;
}

static int in_trouble(void) {
    enum condition condition = read_stat();
    self.traced = condition == TRACED ? self.traced + 1 : 0;
    return asked || condition == DEAD || condition == STOPPED || self.traced >= TRACED_POLLS;
}

static int receive(int *fd) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {.iov_base = &self.message, .iov_len = sizeof self.message};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    ssize_t size = recvmsg(LISTEN_FD, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *rights = size > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
    *fd = -1;
    if (rights != NULL && rights->cmsg_type == SCM_RIGHTS) {
        memcpy(fd, CMSG_DATA(rights), sizeof *fd);
    }
    return size < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : size > 0 ? 1 : -1;
}

static void drop(int *fd) {
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static int set_channel(int32_t channel, int fd) {
    if (channel < 0 || channel >= LBL_CHANNELS) {
        drop(&fd);
        return EINVAL;
    }
    drop(&self.wires[channel].fd);
    int error = fd >= 0 ? -wire_open(&self.wires[channel], fd) : 0;
    if (error != 0) {
        drop(&fd);
    }
    return error;
}

static int obey(int fd) {
    switch ((enum guardian_kind)self.message.kind) {
    case GUARDIAN_ADD:
    case GUARDIAN_REMOVE:
        return set_channel(self.message.channel, fd);
    case GUARDIAN_PROGRAMME:
        memcpy(&self.programme, &self.message.programme, sizeof self.programme);
        return 0;
    case GUARDIAN_LOCK:
        drop(&self.lock_fd);
        self.lock_fd = fd;
        return 0;
    case GUARDIAN_NOTE:
        drop(&self.note_fd);
        self.note_fd = fd;
        return 0;
    case GUARDIAN_RELEASE:
        answer(0);
        _exit(0);
    }
    return EINVAL;
}

static void listen_once(void) {
    int fd = -1;
    int got = receive(&fd);
    if (got > 0) {
        answer(obey(fd));
    } else if (got < 0) {
        self.listening = 0; /* nobody will write any more; whether it lives, /proc tells */
    }
}

static void kill_first(void) {
    struct pollfd gone = {.fd = self.pidfd, .events = POLLIN};
    syscall(SYS_pidfd_send_signal, self.pidfd, SIGKILL, NULL, 0U);
    for (int polls = 0; polls < KILL_POLLS; polls++) {
        if (read_stat() == DEAD || poll(&gone, 1, 1) > 0) {
            return;
        }
    }
}

static int64_t safe_send(void *ours, int32_t channel, const uint8_t *data, size_t size) {
    (void)ours;
    return self.wires[channel].fd < 0 ? -EBADF : wire_send(&self.wires[channel], data, size);
}

static void safe_note(void *ours, const struct safe_step *step, int64_t due_ns, int64_t end) {
    (void)ours;
    (void)step;
    (void)due_ns;
    (void)end;
}

static void sleep_until(int64_t at_ns) {
    struct timespec at = {.tv_sec = (time_t)(at_ns / SECOND_NS),
                          .tv_nsec = (long)(at_ns % SECOND_NS)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

static void park(void) {
    const struct player player = {.self = NULL, .send = safe_send, .note = safe_note};
    programme_start(&self.playing, clock_now());
    int64_t next_ns = programme_play(&self.programme, &self.playing, clock_now(), &player);
    while (next_ns != CLOCK_NEVER) {
        sleep_until(next_ns);
        next_ns = programme_play(&self.programme, &self.playing, clock_now(), &player);
    }
}

static size_t put(char *line, size_t at, const char *word, uint32_t number) {
    char digits[10];
    size_t count = 0;
    size_t size = strlen(word);
    memcpy(line + at, word, size);
    at += size;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        line[at++] = digits[--count];
    }
    return at;
}

static void tell_the_file(void) {
    char line[80];
    size_t at = put(line, 0, "parked by the guardian: sent ", self.playing.sent_steps);
    at = put(line, at, " lost ", self.playing.lost_steps);
    line[at++] = '\n';
    if (self.note_fd >= 0 && write(self.note_fd, line, at) == (ssize_t)at) {
        fsync(self.note_fd);
    }
}

_Noreturn void watchman(int socket, pid_t controller) {
    int error = detach(socket);
    error = error != 0 ? error : observe(controller);
    answer(error);
    if (error != 0) {
        _exit(1);
    }
    struct pollfd ready[2] = {{.fd = self.pidfd, .events = POLLIN},
                              {.fd = LISTEN_FD, .events = POLLIN}};
    int64_t look_ns = clock_now();
    for (;;) {
        ready[0].revents = ready[1].revents = 0;
        poll(ready, self.listening ? 2 : 1, POLL_MS);
        if (ready[1].revents != 0) {
            listen_once();
        }
        if (ready[0].revents != 0 || asked || clock_now() >= look_ns) {
            look_ns = clock_now() + POLL_MS * 1000000LL;
            if (ready[0].revents != 0 || in_trouble()) {
                break;
            }
        }
    }
    kill_first();
    park();
    tell_the_file();
    if (self.lock_fd >= 0) {
        flock(self.lock_fd, LOCK_UN);
    }
    _exit(0);
}
