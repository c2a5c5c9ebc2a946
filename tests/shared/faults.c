/* Makes one call of the system fail, for a program that this is preloaded into.

   FAULT_CALL   sync, write or rename
   FAULT_AT     which of them, from 1
   FAULT_HOW    eio, full, short (a part is written, then the disk is full), torn (a part is
                written, then the program is gone)
   FAULT_DIR    only files below this folder

   When the call fails, the file that FAULT_NOTE names is made. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int calls, is_full;

static const char *how(void) {
    const char *text = getenv("FAULT_HOW");
    return text ? text : "";
}

static int is_below(const char *path) {
    const char *dir = getenv("FAULT_DIR");
    char whole[PATH_MAX + 1];
    if (path[0] != '/' && realpath(path, whole)) path = whole;
    return dir && strncmp(path, dir, strlen(dir)) == 0;
}

static int is_ours(int fd) {
    char link[64], path[PATH_MAX + 1];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below(path);
}

/* Whether this call is the one. A full disk stays full. */
static int hits(const char *call) {
    const char *wanted = getenv("FAULT_CALL"), *at = getenv("FAULT_AT");
    if (!wanted || !at || strcmp(wanted, call) != 0) return 0;
    if (is_full) return 1;
    if (atomic_fetch_add(&calls, 1) + 1 != atoi(at)) return 0;
    const char *note = getenv("FAULT_NOTE");
    if (note) close(open(note, O_CREAT | O_WRONLY, 0644));
    is_full = strcmp(how(), "full") == 0 || strcmp(how(), "short") == 0;
    return 1;
}

static int fail(void) {
    errno = strcmp(how(), "eio") == 0 ? EIO : ENOSPC;
    return -1;
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int fsync(int fd) {
    NEXT(fsync);
    return is_ours(fd) && hits("sync") ? fail() : next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    return is_ours(fd) && hits("sync") ? fail() : next(fd);
}

ssize_t write(int fd, const void *data, size_t size) {
    NEXT(write);
    if (fd < 3 || !is_ours(fd)) return next(fd, data, size);
    int was_full = is_full;
    if (!hits("write")) return next(fd, data, size);
    int is_part = strcmp(how(), "short") == 0 || strcmp(how(), "torn") == 0;
    if (was_full || !is_part) return fail();
    ssize_t written = next(fd, data, size / 2);
    if (strcmp(how(), "torn") == 0) _exit(86);
    return size < 2 ? fail() : written;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    NEXT(pwrite64);
    if (!is_ours(fd)) return next(fd, data, size, at);
    int was_full = is_full;
    if (!hits("write")) return next(fd, data, size, at);
    int is_part = strcmp(how(), "short") == 0 || strcmp(how(), "torn") == 0;
    if (was_full || !is_part) return fail();
    ssize_t written = next(fd, data, size / 2, at);
    if (strcmp(how(), "torn") == 0) _exit(86);
    return size < 2 ? fail() : written;
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    return is_below(from) && hits("rename") ? fail() : next(from, to);
}
