#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace loadlab::test {

/// A file system of one file, "shard" of 8 MiB, whose server dies at a request of this kind (FUSE_OPEN; FUSE_READ: one
/// beyond the first MiB). Mounted for the calling thread and those it starts alone, and gone with it: as the last
/// descriptor of its connection closes, whoever hangs is set free. Needs root and /dev/fuse.
class DeadDisk {
public:
    DeadDisk(const std::string& folder, std::uint32_t diesAt)
        : m_folder(folder)
        , m_fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC))
    {
        const std::string options = "fd=" + std::to_string(m_fd) + ",rootmode=40755,user_id=0,group_id=0";
        if (m_fd < 0 || ::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
            || ::mount("dead", folder.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
            return;
        m_server = ::fork();
        if (m_server == 0)
            serve(diesAt);
    }
    ~DeadDisk()
    {
        if (m_server > 0) {
            ::kill(m_server, SIGKILL);
            ::waitpid(m_server, nullptr, 0);
        }
        ::close(m_fd);
        ::umount2(m_folder.c_str(), MNT_DETACH);
    }
    DeadDisk(const DeadDisk&) = delete;
    DeadDisk& operator=(const DeadDisk&) = delete;

    [[nodiscard]] bool isThere() const { return m_server > 0; }

private:
    static constexpr std::uint64_t kBytes = 8 << 20;

    void answer(const fuse_in_header& asked, const void* data, std::size_t bytes, int error = 0) const
    {
        static std::array<char, 1 << 18> out;
        const fuse_out_header head{static_cast<std::uint32_t>(sizeof head + bytes), -error, asked.unique};
        std::memcpy(out.data(), &head, sizeof head);
        if (bytes > 0)
            std::memcpy(out.data() + sizeof head, data, bytes);
        (void)!::write(m_fd, out.data(), head.len);
    }

    static fuse_attr attributes(std::uint64_t node)
    {
        fuse_attr attr{};
        attr.ino = node;
        attr.size = node == 1 ? 0 : kBytes;
        attr.mode = node == 1 ? S_IFDIR | 0755U : S_IFREG | 0644U;
        attr.nlink = 1;
        attr.blksize = 4096;
        return attr;
    }

    [[noreturn]] void serve(std::uint32_t diesAt) const
    {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        static std::array<char, 1 << 18> in;
        static const std::array<char, 1 << 17> content{};
        for (;;) {
            if (::read(m_fd, in.data(), in.size()) <= 0)
                ::_exit(0);
            fuse_in_header asked{};
            std::memcpy(&asked, in.data(), sizeof asked);
            fuse_read_in read{};
            std::memcpy(&read, in.data() + sizeof asked, sizeof read);
            if (asked.opcode == diesAt && (diesAt != FUSE_READ || read.offset >= 1 << 20))
                for (;;)
                    ::pause();
            reply(asked, read, content.data(), in.data() + sizeof asked);
        }
    }

    void reply(const fuse_in_header& asked, const fuse_read_in& read, const char* content, const char* name) const
    {
        if (asked.opcode == FUSE_INIT) {
            fuse_init_out init{};
            init.major = FUSE_KERNEL_VERSION;
            init.minor = 31;
            init.max_readahead = init.max_write = 1 << 17;
            answer(asked, &init, sizeof init);
        } else if (asked.opcode == FUSE_LOOKUP && std::strcmp(name, "shard") == 0) {
            fuse_entry_out entry{};
            entry.nodeid = 2;
            entry.entry_valid = 3600;
            entry.attr = attributes(2);
            answer(asked, &entry, sizeof entry);
        } else if (asked.opcode == FUSE_GETATTR) {
            fuse_attr_out attr{};
            attr.attr = attributes(asked.nodeid);
            answer(asked, &attr, sizeof attr);
        } else if (asked.opcode == FUSE_OPEN || asked.opcode == FUSE_OPENDIR) {
            const fuse_open_out open{};
            answer(asked, &open, sizeof open);
        } else if (asked.opcode == FUSE_READ) {
            answer(asked, content, std::min<std::uint64_t>(read.size, 1 << 17));
        } else if (asked.opcode != FUSE_FORGET) {
            answer(asked, nullptr, 0, asked.opcode == FUSE_LOOKUP ? ENOENT : ENOSYS);
        }
    }

    std::string m_folder;
    int m_fd;
    pid_t m_server = -1;
};

} // namespace loadlab::test
