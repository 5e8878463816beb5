#include "HostArena.h"
#include "LoadFailure.h"
#include "LoadPlan.h"
#include "ValueSampler.h"
#include "core/checkpoint/SafetensorsWriter.h"

#include <QtTest>

#include <cstring>
#include <limits>

using namespace loadlab;
namespace fs = std::filesystem;

namespace {

TorchAbilities abilitiesWithout(std::initializer_list<Dtype> lacking)
{
    TorchAbilities abilities;
    abilities.version = "1.13.1";
    abilities.devices = {{"cpu", std::uint64_t{1} << 40}};
    abilities.dtypes.set();
    for (const Dtype dtype : lacking)
        abilities.dtypes.reset(static_cast<std::size_t>(dtype));
    return abilities;
}

Variant variantOf(const std::string& dtype, const std::map<std::string, std::string>& options = {})
{
    Variant variant;
    variant.dtype = dtype;
    variant.options = options;
    return variant;
}

std::span<const std::byte> bytesOf(const auto& values)
{
    return std::as_bytes(std::span(values));
}

} // namespace

class TestLoadPlan : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_temporary = std::make_unique<QTemporaryDir>(); }

    void keepsEveryDtypeWhenNothingIsAsked();
    void convertsFloatsOnly();
    void refusesScaledEightBitFloats();
    void convertsPlainEightBitFloats();
    void refusesWhatLibtorchCannotCount();
    void saysWhyThereIsNoGpu();
    void refusesOptionsThatNobodyKnows();

    void arenaIsExactAndAligned();
    void arenaSaysHowMuchWasRefused();
    void samplesFirstAndLast();
    void knowsWhatIsNotFinite();

private:
    Checkpoint checkpointOf(std::vector<TensorSpec> tensors)
    {
        const fs::path file = fs::path(m_temporary->path().toStdString()) / "model.safetensors";
        SafetensorsWriting writing;
        writing.fill = [](const TensorSpec&, std::uint64_t, std::span<std::byte> into) {
            std::ranges::fill(into, std::byte{0});
        };
        if (!writeSafetensors(file, layOutSafetensors(std::move(tensors)), writing))
            qFatal("cannot write weights");
        auto header = SafetensorsHeader::load(file);
        Checkpoint checkpoint;
        checkpoint.path = file;
        checkpoint.weightFiles.push_back(
            {file, "model.safetensors", std::make_shared<const SafetensorsHeader>(std::move(*header))});
        return checkpoint;
    }
    static LoadPlan plan(const Checkpoint& checkpoint, const Variant& variant, const TorchAbilities& abilities)
    {
        return planLoad(checkpoint, variant, LoadOptions::from(variant), abilities);
    }
    static const PlannedTensor& find(const LoadPlan& plan, std::string_view name)
    {
        for (const PlannedTensor& tensor : plan.tensors)
            if (tensor.name == name)
                return tensor;
        qFatal("no such tensor");
    }
    /// The failure that planning ends with.
    static LoadFailure failureOf(const Checkpoint& checkpoint, const Variant& variant, const TorchAbilities& abilities)
    {
        try {
            plan(checkpoint, variant, abilities);
        } catch (const LoadFailure& failure) {
            return failure;
        }
        return {FailureMode::Ok, "no failure"};
    }

    std::unique_ptr<QTemporaryDir> m_temporary;
};

void TestLoadPlan::keepsEveryDtypeWhenNothingIsAsked()
{
    const Checkpoint checkpoint
        = checkpointOf({{"a", Dtype::F32, {4}}, {"b", Dtype::BF16, {4}}, {"c", Dtype::U16, {4}}});
    const LoadPlan made = plan(checkpoint, variantOf("auto"), abilitiesWithout({Dtype::U16}));
    QCOMPARE(find(made, "a").dtype, Dtype::F32);
    QCOMPARE(find(made, "b").dtype, Dtype::BF16);
    QVERIFY(find(made, "c").raw && !find(made, "a").raw);
    QCOMPARE(made.warnings.size(), std::size_t{1});
    QCOMPARE(made.storedBytes(), std::uint64_t{16 + 8 + 8});
}

void TestLoadPlan::convertsFloatsOnly()
{
    const Checkpoint checkpoint = checkpointOf(
        {{"a", Dtype::F64, {4}}, {"b", Dtype::BF16, {4}}, {"c", Dtype::U16, {4}}, {"d", Dtype::C64, {4}}});
    const LoadPlan made = plan(checkpoint, variantOf("float16"), abilitiesWithout({Dtype::U16}));
    QCOMPARE(find(made, "a").bytes, std::uint64_t{8});
    QCOMPARE(find(made, "b").dtype, Dtype::F16);
    QCOMPARE(find(made, "c").dtype, Dtype::U16);
    QCOMPARE(find(made, "d").bytes, std::uint64_t{32});
}

void TestLoadPlan::refusesScaledEightBitFloats()
{
    Checkpoint checkpoint = checkpointOf({{"a.weight", Dtype::F8E4M3, {4}}, {"a.weight_scale", Dtype::F32, {1}}});
    checkpoint.quantization = Quantization{"compressed-tensors", "float-quantized", 8, std::nullopt, false};
    const LoadFailure failure = failureOf(checkpoint, variantOf("float32"), abilitiesWithout({}));
    QCOMPARE(failure.mode, FailureMode::DtypeQuantizationConflict);
    QVERIFY2(failure.message.find("scales of compressed-tensors float-quantized, 8 bits") != std::string::npos,
        failure.message.c_str());
    const LoadPlan kept = plan(checkpoint, variantOf("auto"), abilitiesWithout({}));
    QVERIFY(!find(kept, "a.weight").raw);
}

void TestLoadPlan::convertsPlainEightBitFloats()
{
    const Checkpoint checkpoint = checkpointOf({{"a.weight", Dtype::F8E5M2, {4}}});
    QCOMPARE(find(plan(checkpoint, variantOf("float32"), abilitiesWithout({})), "a.weight").bytes, std::uint64_t{16});
    QCOMPARE(failureOf(checkpoint, variantOf("float32"), abilitiesWithout({Dtype::F8E5M2})).mode,
        FailureMode::DtypeQuantizationConflict);
}

void TestLoadPlan::refusesWhatLibtorchCannotCount()
{
    const Checkpoint checkpoint = checkpointOf({{"a", Dtype::F32, {0, std::uint64_t{1} << 63}}});
    const LoadFailure failure = failureOf(checkpoint, variantOf("auto"), abilitiesWithout({}));
    QCOMPARE(failure.mode, FailureMode::StructureMismatch);
    QVERIFY2(failure.message.find("'a' has a dimension of 9223372036854775808") != std::string::npos,
        failure.message.c_str());
}

void TestLoadPlan::saysWhyThereIsNoGpu()
{
    const Checkpoint checkpoint = checkpointOf({{"a", Dtype::F32, {4}}});
    Variant variant;
    variant.deviceMap = "cuda";
    TorchAbilities abilities = abilitiesWithout({});
    const LoadFailure built = failureOf(checkpoint, variant, abilities);
    QCOMPARE(built.mode, FailureMode::DeviceMapError);
    QVERIFY2(built.message.find("libtorch 1.13.1 is built without CUDA") != std::string::npos, built.message.c_str());
    abilities.builtWithCuda = true;
    QVERIFY(failureOf(checkpoint, variant, abilities).message.find("without CUDA") == std::string::npos);
}

void TestLoadPlan::refusesOptionsThatNobodyKnows()
{
    QVERIFY_EXCEPTION_THROWN(LoadOptions::from(variantOf("int4")), LoadFailure);
    QVERIFY_EXCEPTION_THROWN(LoadOptions::from(variantOf("auto", {{"reader", "telepathy"}})), LoadFailure);
    QVERIFY_EXCEPTION_THROWN(LoadOptions::from(variantOf("auto", {{"strict", "perhaps"}})), LoadFailure);
    QVERIFY(!LoadOptions::from(variantOf("auto", {{"strict", "false"}})).strict);
}

void TestLoadPlan::arenaIsExactAndAligned()
{
    constexpr std::uint64_t bytes = (std::uint64_t{5} << 20) + 1;
    const auto arena = HostArena::allocate(HostArena::roomFor(bytes) + HostArena::roomFor(3));
    QVERIFY(arena.has_value());
    std::byte* const first = (*arena)->take(bytes);
    std::byte* const second = (*arena)->take(3);
    QCOMPARE(reinterpret_cast<std::uintptr_t>(first) % (std::uint64_t{2} << 20), std::uint64_t{0});
    QCOMPARE(static_cast<std::uint64_t>(second - first), HostArena::roomFor(bytes));
    std::memset(first, 1, bytes);
    std::memset(second, 2, 3);
    QCOMPARE(first[bytes - 1], std::byte{1});
    QVERIFY(HostArena::allocate(0).has_value());
}

void TestLoadPlan::arenaSaysHowMuchWasRefused()
{
    const auto arena = HostArena::allocate(std::uint64_t{1} << 60);
    QVERIFY(!arena);
    QVERIFY2(
        arena.error().message.find("1152921504606846976 bytes") != std::string::npos, arena.error().message.c_str());
}

void TestLoadPlan::samplesFirstAndLast()
{
    std::vector<float> values(1'000'003, 1.0f);
    for (const std::size_t at : {std::size_t{0}, values.size() - 1}) {
        values[at] = std::numeric_limits<float>::quiet_NaN();
        const SampledValues seen = sampleValues(Dtype::F32, bytesOf(values), 4096);
        QCOMPARE(seen.nonFinite, std::uint64_t{1});
        QVERIFY(seen.looked > 3000 && seen.looked <= 4096);
        values[at] = 1.0f;
    }
    for (std::size_t count = 0; count < 300; ++count)
        for (const std::uint64_t most : {0, 1, 2, 3, 64, 65, 128, 200}) {
            const SampledValues seen = sampleValues(Dtype::F32, bytesOf(values).first(count * 4), most);
            QVERIFY(seen.looked <= std::min<std::uint64_t>(count, std::max<std::uint64_t>(most, 2)));
            QVERIFY(seen.looked >= std::min<std::uint64_t>(count, 2));
        }
}

void TestLoadPlan::knowsWhatIsNotFinite()
{
    const auto nonFinite
        = [](Dtype dtype, auto bits) { return sampleValues(dtype, std::as_bytes(std::span(&bits, 1)), 10).nonFinite; };
    QCOMPARE(nonFinite(Dtype::F16, std::uint16_t{0x7c00}), std::uint64_t{1});
    QCOMPARE(nonFinite(Dtype::F16, std::uint16_t{0x7bff}), std::uint64_t{0});
    QCOMPARE(nonFinite(Dtype::BF16, std::uint16_t{0xff80}), std::uint64_t{1});
    QCOMPARE(nonFinite(Dtype::BF16, std::uint16_t{0x7f7f}), std::uint64_t{0});
    QCOMPARE(nonFinite(Dtype::F64, std::uint64_t{0x7ff8000000000000}), std::uint64_t{1});
    QCOMPARE(nonFinite(Dtype::F8E4M3, std::uint8_t{0xff}), std::uint64_t{1});
    QCOMPARE(nonFinite(Dtype::F8E4M3, std::uint8_t{0x7e}), std::uint64_t{0}); // 448, the largest.
    QCOMPARE(nonFinite(Dtype::F8E5M2, std::uint8_t{0x7c}), std::uint64_t{1});
    QCOMPARE(nonFinite(Dtype::F8E4M3Fnuz, std::uint8_t{0x80}), std::uint64_t{1});
    QCOMPARE(nonFinite(Dtype::I32, std::uint32_t{0x7f800000}), std::uint64_t{0});
}

QTEST_APPLESS_MAIN(TestLoadPlan)
#include "tst_LoadPlan.moc"
