#include "TensorLoader.h"

#include "LoadFailure.h"
#include "TensorModel.h"
#include "TorchTypes.h"
#include "ValueSampler.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <algorithm>
#include <c10/core/InferenceMode.h>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>
#include <thread>
#include <torch/cuda.h>

namespace loadlab {
namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{8} << 20;
constexpr std::uint64_t kSamplesPerTensor = 4096;
constexpr std::size_t kMaxThreads = 2;
constexpr std::chrono::milliseconds kProgressInterval{55};

/// A part of one tensor: whole elements, at most kPieceBytes of the file.
struct Piece {
    std::size_t tensor = 0;
    std::uint64_t from = 0; ///< In bytes of the stored tensor.
    std::uint64_t length = 0;
};

/// Whole elements of any width; less where conversion makes more than twice the bytes of it, so that a piece fits the
/// staging memory.
std::uint64_t pieceBytesFor(const PlannedTensor& tensor)
{
    const bool growsFourfold = tensor.converts() && bitsOf(tensor.dtype) > 2 * bitsOf(tensor.stored);
    return growsFourfold ? kPieceBytes / 2 : kPieceBytes;
}

std::vector<Piece> cutIntoPieces(const std::vector<PlannedTensor>& tensors)
{
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const std::uint64_t most = pieceBytesFor(tensors[i]);
        for (std::uint64_t from = 0; from < tensors[i].storedBytes; from += most)
            pieces.push_back({i, from, std::min(most, tensors[i].storedBytes - from)});
    }
    return pieces;
}

/// Memory of one thread for pieces that cannot go straight to their place. Made when first needed; pinned for devices.
class Staging {
public:
    Staging(std::uint64_t bytes, bool pinned)
        : m_bytes(bytes)
        , m_pinned(pinned)
    {
    }
    std::byte* get()
    {
        if (!m_memory.defined())
            m_memory
                = at::empty({static_cast<std::int64_t>(m_bytes)}, at::TensorOptions(at::kByte).pinned_memory(m_pinned));
        return static_cast<std::byte*>(m_memory.data_ptr());
    }

private:
    std::uint64_t m_bytes;
    bool m_pinned;
    at::Tensor m_memory;
};

at::Tensor flatView(const std::byte* bytes, std::uint64_t elements, c10::ScalarType type)
{
    return at::from_blob(const_cast<std::byte*>(bytes), {static_cast<std::int64_t>(elements)}, at::TensorOptions(type));
}

/// Moves pieces, one at a time, on one thread.
class PieceMover {
public:
    PieceMover(TensorModel& model, bool prefault, bool pinned)
        : m_model(model)
        , m_prefault(prefault)
        , m_source(kPieceBytes, pinned)
        , m_converted(kPieceBytes * 2, pinned)
    {
    }

    void move(const Piece& piece)
    {
        const PlannedTensor& tensor = m_model.planned()[piece.tensor];
        TensorReader& reader = m_model.readerOf(piece.tensor);
        const std::uint64_t offset = tensor.offset + piece.from;
        std::span<const std::byte> result;
        switch (m_model.placeOf(piece.tensor)) {
        case TensorModel::Place::View:
            result = reader.view(offset, piece.length);
            if (m_prefault)
                expectGood(reader.touch(offset, piece.length), piece);
            sample(piece, result);
            expectGood(reader.check(), piece);
            return;
        case TensorModel::Place::Host:
            result = toHost(piece, hostPlace(piece));
            break;
        case TensorModel::Place::Device:
            result = toDevice(piece);
            break;
        }
        sample(piece, result);
        expectGood(reader.check(), piece);
        reader.release(offset, piece.length);
    }

private:
    void expectGood(const Result<void>& outcome, const Piece& piece) const
    {
        if (!outcome)
            throw fileFailure(outcome.error(), m_model.fileOf(piece.tensor));
    }
    [[nodiscard]] static std::uint64_t widthOf(Dtype dtype) { return bitsOf(dtype) / 8; }
    /// Bytes of a piece once it is in memory.
    [[nodiscard]] static std::uint64_t bytesInMemory(const PlannedTensor& tensor, std::uint64_t stored)
    {
        return tensor.converts() ? stored / widthOf(tensor.stored) * widthOf(tensor.dtype) : stored;
    }
    [[nodiscard]] std::byte* hostPlace(const Piece& piece) const
    {
        auto* const base = static_cast<std::byte*>(m_model.tensor(piece.tensor).data_ptr());
        return base + bytesInMemory(m_model.planned()[piece.tensor], piece.from);
    }
    /// The stored bytes of a piece in aligned memory, without a copy where the file gives a view.
    const std::byte* stored(const Piece& piece)
    {
        const PlannedTensor& tensor = m_model.planned()[piece.tensor];
        TensorReader& reader = m_model.readerOf(piece.tensor);
        const std::uint64_t offset = tensor.offset + piece.from;
        if (const auto view = reader.view(offset, piece.length);
            !view.empty() && offset % widthOf(tensor.stored) == 0) {
            expectGood(reader.touch(offset, piece.length), piece);
            return view.data();
        }
        expectGood(reader.read(offset, {m_source.get(), piece.length}), piece);
        return m_source.get();
    }
    std::span<const std::byte> toHost(const Piece& piece, std::byte* into)
    {
        const PlannedTensor& tensor = m_model.planned()[piece.tensor];
        if (tensor.converts()) {
            const std::uint64_t elements = piece.length / widthOf(tensor.stored);
            flatView(into, elements, *scalarTypeOf(tensor.dtype))
                .copy_(flatView(stored(piece), elements, *scalarTypeOf(tensor.stored)));
        } else {
            const std::uint64_t offset = tensor.offset + piece.from;
            expectGood(m_model.readerOf(piece.tensor).read(offset, {into, piece.length}), piece);
        }
        return {into, bytesInMemory(tensor, piece.length)};
    }
    /// Converted on this side, so that a device never holds both.
    std::span<const std::byte> toDevice(const Piece& piece)
    {
        const PlannedTensor& tensor = m_model.planned()[piece.tensor];
        const auto host = toHost(piece, m_converted.get());
        const at::Tensor& whole = m_model.tensor(piece.tensor);
        const auto width = static_cast<std::uint64_t>(whole.element_size());
        const auto from = static_cast<std::int64_t>(bytesInMemory(tensor, piece.from) / width);
        const std::uint64_t elements = host.size() / width;
        whole.view({-1})
            .narrow(0, from, static_cast<std::int64_t>(elements))
            .copy_(flatView(host.data(), elements, whole.scalar_type()));
        return host;
    }
    void sample(const Piece& piece, std::span<const std::byte> bytes)
    {
        const PlannedTensor& tensor = m_model.planned()[piece.tensor];
        const Dtype dtype = tensor.dtype;
        const std::uint64_t share = kSamplesPerTensor * piece.length / tensor.storedBytes;
        const std::uint64_t most = m_prefault ? share : std::min<std::uint64_t>(share, 512);
        const SampledValues seen = sampleValues(dtype, bytes, most);
        m_model.noteSample(piece.tensor, seen.looked, seen.nonFinite);
    }

    TensorModel& m_model;
    bool m_prefault;
    Staging m_source;
    Staging m_converted;
};

/// All pieces over a few threads; progress and the end come to the calling thread.
class Transfer {
public:
    Transfer(TensorModel& model, const LoadPlan& plan, const ProgressSink& progress, std::stop_token stop)
        : m_model(model)
        , m_plan(plan)
        , m_progress(progress)
        , m_stop(std::move(stop))
        , m_pieces(cutIntoPieces(plan.tensors))
        , m_left(plan.tensors.size())
        , m_totalBytes(plan.storedBytes())
    {
        for (const Piece& piece : m_pieces)
            ++m_left[piece.tensor];
        for (const auto& left : m_left)
            m_doneTensors += left == 0 ? 1 : 0; // Tensors without elements.
    }

    void run()
    {
        report();
        const std::size_t threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxThreads);
        m_running = threads;
        {
            std::vector<std::jthread> workers;
            for (std::size_t i = 0; i < threads; ++i)
                workers.emplace_back([this] { work(); });
            waitWithReports();
        }
        if (m_failure)
            std::rethrow_exception(m_failure);
        if (m_stop.stop_requested())
            throw LoadStopped();
        report();
    }

private:
    void work();
    void waitWithReports();
    void finished(const Piece& piece);
    void report();

    TensorModel& m_model;
    const LoadPlan& m_plan;
    const ProgressSink& m_progress;
    std::stop_token m_stop;
    std::vector<Piece> m_pieces;
    std::vector<std::atomic<std::uint32_t>> m_left; ///< Pieces of each tensor that are still to come.
    std::uint64_t m_totalBytes;
    std::atomic<std::size_t> m_next{0};
    std::atomic<std::size_t> m_latest{0}; ///< The tensor at hand.
    std::atomic<std::uint64_t> m_doneTensors{0};
    std::atomic<std::uint64_t> m_doneBytes{0};
    std::atomic<bool> m_failed{false};
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::size_t m_running = 0;
    std::exception_ptr m_failure;
};

void Transfer::work()
{
    try {
        const c10::InferenceMode noAutograd;
        at::init_num_threads();
        PieceMover mover(m_model, m_plan.prefault, m_plan.usesGpu());
        for (std::size_t i = m_next++; i < m_pieces.size(); i = m_next++) {
            if (m_failed || m_stop.stop_requested())
                break;
            m_latest = m_pieces[i].tensor;
            mover.move(m_pieces[i]);
            finished(m_pieces[i]);
        }
    } catch (...) {
        const std::lock_guard lock(m_mutex);
        if (!m_failure)
            m_failure = std::current_exception();
        m_failed = true;
    }
    const std::lock_guard lock(m_mutex);
    --m_running;
    m_changed.notify_all();
}

void Transfer::finished(const Piece& piece)
{
    m_doneBytes += piece.length;
    if (--m_left[piece.tensor] == 0)
        ++m_doneTensors;
}

void Transfer::waitWithReports()
{
    std::unique_lock lock(m_mutex);
    while (!m_changed.wait_for(lock, kProgressInterval, [this] { return m_running == 0; })) {
        lock.unlock();
        report();
        lock.lock();
    }
}

void Transfer::report()
{
    const std::size_t latest = m_latest;
    m_progress({"tensors", m_doneTensors, m_plan.tensors.size(), m_doneBytes, m_totalBytes,
        m_plan.tensors.empty() ? std::string() : std::string(m_plan.tensors[latest].name.substr(0, 500))});
}

/// Copies to a device are not done before this says so, and their errors come late.
void synchronize(const LoadPlan& plan)
{
    std::set<std::string> devices;
    for (const PlannedTensor& tensor : plan.tensors)
        devices.insert(plan.devices[tensor.device].name);
    for (const std::string& device : devices)
        if (const c10::Device place(device); place.is_cuda())
            torch::cuda::synchronize(place.index());
}

} // namespace

std::unique_ptr<HeldModel> loadTensors(
    const Checkpoint& checkpoint, const LoadPlan& plan, const ProgressSink& progress, std::stop_token stop)
{
    const c10::InferenceMode noAutograd;
    at::set_num_threads(1); // This loader brings its own two.
    auto model = std::make_unique<TensorModel>(checkpoint, plan);
    Transfer(*model, plan, progress, std::move(stop)).run();
    synchronize(plan);
    if (auto whole = model->check(); !whole)
        throw fileFailure(whole.error(), {});
    return model;
}

} // namespace loadlab
