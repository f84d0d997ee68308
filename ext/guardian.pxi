"""The guardian process as Python sees it; included by _core.pyx.

Everything it must know goes to it through Core: channels, their closing, each safe programme.
"""


@cython.final
cdef class Guardian:
    cdef guardian _guardian
    cdef Core _core

    def __cinit__(self, Core core not None):
        if core.virtual:
            raise ValueError("a virtual clock stops with its process: there is nothing to guard")
        self._core = core

    def start(self, *, int lock_fd=-1, int note_fd=-1):
        if self._core._guardian is not None:
            raise RuntimeError("this core has a guardian already")
        self._check(guardian_start(&self._guardian), "start")
        self._core._guardian = self
        try:
            for kind, fd in ((GUARDIAN_LOCK, lock_fd), (GUARDIAN_NOTE, note_fd)):
                if fd >= 0:
                    self._give(kind, 0, fd)
            for channel, fd in self._core._fds.items():
                self._give(GUARDIAN_ADD, channel, fd)
            self._core.safe_programme(self._core._steps)
        except BaseException:
            self.release()
            raise
        return self._guardian.pid

    def release(self):
        cdef int error
        self._core._guardian = None
        with nogil:
            error = guardian_release(&self._guardian)
        self._check(error, "let go")

    @property
    def pid(self):
        return self._guardian.pid

    @property
    def alive(self):
        return guardian_alive(&self._guardian) != 0

    cdef int _give(self, guardian_kind kind, int32_t channel, int fd) except -1:
        return self._check(guardian_give(&self._guardian, kind, channel, fd), "take a descriptor")

    cdef int _teach(self, const programme *steps) except -1:
        return self._check(guardian_teach(&self._guardian, steps), "take the safe programme")

    cdef int _check(self, int error, str act) except -1:
        if error:
            raise OSError(error, f"the guardian did not {act}: {os.strerror(error)}")
        return 0
