/* The controller's side of guardian.h: start it, tell it, let it go. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "guardian.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 1000
#define HEADER offsetof(struct guardian_message, programme)

/* The handlers that libraries hang on fork() are for children that go on; ours does not. */
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define BARE_FORK _Fork
#endif
#endif
#ifndef BARE_FORK
#define BARE_FORK fork
#endif

static int answer(struct guardian *guardian) {
    struct pollfd ready = {.fd = guardian->socket, .events = POLLIN};
    int32_t error = 0;
    int count = poll(&ready, 1, ANSWER_MS);
    while (count < 0 && errno == EINTR) {
        count = poll(&ready, 1, ANSWER_MS);
    }
    if (count <= 0) {
        guardian->silent = 1;
        return count == 0 ? ETIMEDOUT : errno;
    }
    ssize_t size = recv(guardian->socket, &error, sizeof error, MSG_DONTWAIT);
    return size == (ssize_t)sizeof error ? error : size < 0 ? errno : EPIPE;
}

static int tell(struct guardian *guardian, struct guardian_message *message, size_t size, int fd) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {.iov_base = message, .iov_len = size};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (guardian->pid <= 0 || guardian->silent) {
        return ESRCH;
    }
    if (fd >= 0) {
        packet.msg_control = control;
        packet.msg_controllen = sizeof control;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    if (sendmsg(guardian->socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        return errno;
    }
    return answer(guardian);
}

int guardian_give(struct guardian *guardian, enum guardian_kind kind, int32_t channel, int fd) {
    struct guardian_message message = {.kind = (int32_t)kind, .channel = channel};
    return tell(guardian, &message, HEADER, fd);
}

int guardian_teach(struct guardian *guardian, const struct programme *programme) {
    struct guardian_message message = {.kind = GUARDIAN_PROGRAMME};
    memcpy(&message.programme, programme, sizeof *programme);
    return tell(guardian, &message, sizeof message, -1);
}

int guardian_start(struct guardian *guardian) {
    int ends[2];
    sigset_t all, before;
    pid_t controller = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return errno;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of Python may run in the child */
    pid_t pid = BARE_FORK();
    if (pid == 0) {
        watchman(ends[1], controller);
    }
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return error;
    }
    guardian->socket = ends[0];
    guardian->pid = pid;
    guardian->silent = 0;
    error = answer(guardian);
    if (error != 0) {
        guardian_release(guardian);
    }
    return error;
}

int guardian_release(struct guardian *guardian) {
    if (guardian->pid <= 0) {
        return 0;
    }
    int error = guardian_give(guardian, GUARDIAN_RELEASE, 0, -1);
    if (error != 0) {
        kill(guardian->pid, SIGKILL); /* ours alone: it has not been waited for yet */
    }
    while (waitpid(guardian->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    close(guardian->socket);
    guardian->pid = 0;
    guardian->socket = -1;
    return error;
}

int guardian_alive(struct guardian *guardian) {
    siginfo_t info = {0};
    if (guardian->pid <= 0) {
        return 0;
    }
    int known = waitid(P_PID, (id_t)guardian->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return known == 0 && info.si_pid == 0;
}
