#include "TorchErrors.h"

#include <c10/util/Exception.h>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <new>
#include <typeinfo>

namespace loadlab {
namespace {

constexpr const char* kSmaller
    = "a smaller dtype, fewer other programs, or swap; --dtype auto maps the file and needs next to none";
constexpr const char* kSmallerOnDevice = "a smaller dtype, --device-map auto with --max-memory to leave part of the "
                                         "model in host memory, or end what else uses the device";

bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

/// Without the frames that c10 appends.
std::string headOf(std::string_view message)
{
    return std::string(
        message.substr(0, std::min(message.find("\nException raised from"), message.find("\nCUDA kernel errors"))));
}

LoadFailure failureOfC10(const c10::Error& error)
{
    const std::string message = headOf(error.what_without_backtrace());
    if (contains(message, "DefaultCPUAllocator") || contains(message, "CPU memory"))
        return {FailureMode::HostAllocFailed, message, kSmaller};
    if (contains(message, "out of memory"))
        return {FailureMode::DeviceOom, message, kSmallerOnDevice};
    if (contains(message, "CUDA error") || contains(message, "CUDA driver") || contains(message, "HIP error"))
        return {FailureMode::GpuDriverError, message, "a driver and a libtorch that fit each other and this device"};
    return {FailureMode::Unknown, message};
}

} // namespace

LoadFailure failureOfCurrentException()
{
    try {
        throw;
    } catch (const LoadStopped&) {
        throw;
    } catch (const LoadFailure& failure) {
        return failure;
    } catch (const c10::OutOfMemoryError& error) {
        return {FailureMode::DeviceOom, headOf(error.what_without_backtrace()), kSmallerOnDevice};
    } catch (const c10::Error& error) {
        return failureOfC10(error);
    } catch (const std::bad_alloc&) {
        return {FailureMode::HostAllocFailed, "host memory was refused (std::bad_alloc)", kSmaller};
    } catch (const std::exception& error) {
        return {FailureMode::Unknown, error.what()};
    }
}

std::string nameOfCurrentException()
{
    const std::type_info* const type = abi::__cxa_current_exception_type();
    if (!type)
        return "no exception";
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(
        abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
    return name ? name.get() : type->name();
}

} // namespace loadlab
