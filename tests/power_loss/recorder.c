/* Preloaded into the server: does what is asked of the files below $HEDDLE_RECORD_ROOT and writes it down in
 * $HEDDLE_RECORD_LOG, in the order in which it happened. Syncing is only written down: what it is worth is found out
 * when the log is played back. Calls go to the kernel directly; everything is one after the other under one lock.
 *
 * A record is a head (below, in the machine's byte order) and then `first` and `second` bytes. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, MAKE_FOLDER, RENAME, LINK, REMOVE };

struct head {
    uint64_t what, inode, at, first, second;
};

#define FILES 4096
static struct { uint64_t inode; int appends; } files[FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static size_t root_length;
static int record = -1;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("HEDDLE_RECORD_LOG");
    root = getenv("HEDDLE_RECORD_ROOT");
    if (!path || !root) return;
    root_length = strlen(root);
    record = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (record < 0) abort();
}

static int is_ours(const char *path) {
    return record >= 0 && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || !path[root_length]);
}

static uint64_t inode_of(int fd) {
    return record >= 0 && fd >= 0 && fd < FILES ? files[fd].inode : 0;
}

/* A log that misses something would prove nothing: then there shall be no server either. */
static void note(uint64_t what, uint64_t inode, uint64_t at, const void *first, size_t first_length, const void *second,
                 size_t second_length) {
    int before = errno;
    struct head head = {what, inode, at, first_length, second_length};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)first, first_length}, {(void *)second, second_length}};
    ssize_t length = sizeof head + first_length + second_length;
    if (syscall(SYS_writev, record, parts, 3) != length) abort();
    errno = before;
}

static void note_path(uint64_t what, uint64_t inode, const char *path) {
    note(what, inode, 0, path, strlen(path), "", 0);
}

static int open_it(int folder, const char *path, int flags, mode_t mode) {
    if (!is_ours(path)) return syscall(SYS_openat, folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat facts;
    int is_new = (flags & O_CREAT) && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    int fd = syscall(SYS_openat, folder, path, flags, mode);
    if (fd >= FILES) abort();
    if (fd >= 0 && fstat(fd, &facts) == 0) {
        files[fd].inode = facts.st_ino;
        files[fd].appends = (flags & O_APPEND) != 0;
        if (is_new) note_path(CREATE, facts.st_ino, path);
        else if (flags & O_TRUNC) note(TRUNCATE, facts.st_ino, 0, "", 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(last) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, last); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return open_it(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_it(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return open_it(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return open_it(folder, path, flags, mode); }

int close(int fd) {
    if (inode_of(fd)) {
        pthread_mutex_lock(&lock);
        files[fd].inode = 0;
        pthread_mutex_unlock(&lock);
    }
    return syscall(SYS_close, fd);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!inode_of(fd)) return syscall(SYS_write, fd, bytes, length);
    pthread_mutex_lock(&lock);
    off_t at = lseek(fd, 0, files[fd].appends ? SEEK_END : SEEK_CUR);
    ssize_t written = syscall(SYS_write, fd, bytes, length);
    if (written > 0) note(WRITE, files[fd].inode, at, bytes, written, "", 0);
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    if (!inode_of(fd)) return syscall(SYS_pwrite64, fd, bytes, length, at);
    pthread_mutex_lock(&lock);
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, length, at);
    if (written > 0) note(WRITE, files[fd].inode, at, bytes, written, "", 0);
    pthread_mutex_unlock(&lock);
    return written;
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) { return pwrite(fd, bytes, length, at); }

/* None of ours is written this way; if that changes, this has to learn it. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (inode_of(fd)) abort();
    return syscall(SYS_writev, fd, parts, count);
}
ssize_t copy_file_range(int in, off_t *from, int out, off_t *to, size_t length, unsigned flags) {
    if (inode_of(out)) abort();
    return syscall(SYS_copy_file_range, in, from, out, to, length, flags);
}
int fallocate(int fd, int mode, off_t at, off_t length) {
    if (inode_of(fd)) abort();
    return syscall(SYS_fallocate, fd, mode, at, length);
}

int ftruncate(int fd, off_t length) {
    if (!inode_of(fd)) return syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    int failed = syscall(SYS_ftruncate, fd, length);
    if (!failed) note(TRUNCATE, files[fd].inode, length, "", 0, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

static int sync_it(int fd, long call) {
    if (!inode_of(fd)) return syscall(call, fd);
    pthread_mutex_lock(&lock);
    note(SYNC, files[fd].inode, 0, "", 0, "", 0);
    pthread_mutex_unlock(&lock);
    return 0;
}
int fsync(int fd) { return sync_it(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_it(fd, SYS_fdatasync); }

int mkdir(const char *path, mode_t mode) {
    if (!is_ours(path)) return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    pthread_mutex_lock(&lock);
    struct stat facts;
    int failed = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (!failed && stat(path, &facts) == 0) note_path(MAKE_FOLDER, facts.st_ino, path);
    pthread_mutex_unlock(&lock);
    return failed;
}

static int two_names(uint64_t what, const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    int failed = what == RENAME ? syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to)
                                : syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (!failed && is_ours(to)) note(what, 0, 0, from, strlen(from), to, strlen(to));
    pthread_mutex_unlock(&lock);
    return failed;
}
int rename(const char *from, const char *to) { return two_names(RENAME, from, to); }
int link(const char *from, const char *to) { return two_names(LINK, from, to); }
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    if (from_folder == AT_FDCWD && to_folder == AT_FDCWD && !flags) return two_names(LINK, from, to);
    return syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

static int remove_it(int folder, const char *path, int flags) {
    pthread_mutex_lock(&lock);
    int failed = syscall(SYS_unlinkat, folder, path, flags);
    if (!failed && is_ours(path)) note_path(REMOVE, 0, path);
    pthread_mutex_unlock(&lock);
    return failed;
}
int unlink(const char *path) { return remove_it(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return remove_it(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int folder, const char *path, int flags) { return remove_it(folder, path, flags); }
