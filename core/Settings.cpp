#include "core/Settings.h"

#include "core/Descriptor.h"
#include "core/Text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace loadlab {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;

Error failed(const fs::path& file, std::string_view doing, int error)
{
    return {ErrorKind::Io,
        "cannot " + std::string(doing) + " the settings " + toUtf8(file.native()) + ": " + std::strerror(error)};
}

Error invalid(const fs::path& file, std::string_view what)
{
    return {ErrorKind::Invalid,
        "the settings " + toUtf8(file.native()) + " " + std::string(what) + "; correct the file or move it away"};
}

/// The text of the file; empty where there is none. A FIFO or device is not waited for.
Result<std::string> readText(const fs::path& file)
{
    const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (in.get() < 0)
        return errno == ENOENT ? Result<std::string>(std::string()) : Result<std::string>(failed(file, "open", errno));
    struct stat status { };
    if (::fstat(in.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return invalid(file, "are no regular file");
    std::string text;
    std::string buffer(64 * 1024, '\0');
    while (text.size() <= kMaxFileBytes) {
        const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
        if (got == 0)
            return text;
        if (got < 0 && errno != EINTR)
            return failed(file, "read", errno);
        if (got > 0)
            text.append(buffer, 0, static_cast<std::size_t>(got));
    }
    return invalid(file, "are larger than 4 MiB");
}

Result<json> readObject(const fs::path& file)
{
    Result<std::string> text = readText(file);
    if (!text)
        return std::move(text).error();
    if (text->empty())
        return json::object();
    json parsed = json::parse(*text, nullptr, false);
    if (!parsed.is_object())
        return invalid(file, "hold no JSON object");
    return parsed;
}

json folderJson(const fs::path& folder)
{
    const std::string& bytes = folder.native();
    return isUtf8(bytes) ? json(bytes) : json{{"hex", toHex(bytes)}};
}

/// Empty: not a folder as this file spells them.
fs::path folderOf(const json& entry)
{
    if (entry.is_string())
        return entry.get<std::string>();
    if (const auto hex = entry.is_object() ? entry.find("hex") : entry.end(); hex != entry.end() && hex->is_string())
        return fromHex(hex->get<std::string>());
    return {};
}

void addOnce(std::vector<fs::path>& folders, fs::path folder)
{
    if (std::find(folders.begin(), folders.end(), folder) == folders.end())
        folders.push_back(std::move(folder));
}

Result<SharedSettings> settingsOf(const fs::path& file, const json& object)
{
    SharedSettings settings;
    const auto folders = object.find("zoo_folders");
    if (folders == object.end() || folders->is_null())
        return settings;
    if (!folders->is_array())
        return invalid(file, "hold \"zoo_folders\" that is no array");
    for (const json& entry : *folders) {
        fs::path folder = folderOf(entry);
        if (!folder.is_absolute())
            return invalid(file, "hold a \"zoo_folders\" entry that is no absolute path: " + entry.dump());
        addOnce(settings.zooFolders, std::move(folder));
    }
    return settings;
}

/// Writes all bytes and brings them to the disk. 0 or errno.
int writeAndSync(int fd, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0)
            text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fsync(fd) == 0 ? 0 : errno;
}

Result<void> replaceFile(const fs::path& file, std::string_view text)
{
    const fs::path beside = file.native() + ".new";
    int error = 0;
    {
        const Descriptor out(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
        error = out.get() < 0 ? errno : writeAndSync(out.get(), text);
    }
    if (error == 0 && ::rename(beside.c_str(), file.c_str()) != 0)
        error = errno;
    if (error == 0)
        return {};
    ::unlink(beside.c_str());
    return failed(file, "write", error);
}

} // namespace

Result<SharedSettings> loadSettings(const fs::path& file)
{
    const Result<json> object = readObject(file);
    return object ? settingsOf(file, *object) : Result<SharedSettings>(object.error());
}

Result<SharedSettings> changeSettings(const fs::path& file, const std::function<void(SharedSettings&)>& change)
{
    std::error_code made;
    fs::create_directories(file.parent_path(), made);
    const Descriptor folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0 || ::flock(folder.get(), LOCK_EX) != 0)
        return failed(file, "make the folder of", made ? made.value() : errno);
    Result<json> object = readObject(file);
    if (!object)
        return std::move(object).error();
    Result<SharedSettings> settings = settingsOf(file, *object);
    if (!settings)
        return settings;
    change(*settings);
    json folders = json::array();
    for (const fs::path& path : settings->zooFolders)
        folders.push_back(folderJson(path));
    (*object)["zoo_folders"] = std::move(folders);
    if (Result<void> written = replaceFile(file, object->dump(2) + "\n"); !written)
        return std::move(written).error();
    return settings;
}

} // namespace loadlab
