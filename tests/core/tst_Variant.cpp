#include "core/FailureMode.h"
#include "core/Variant.h"

#include <QtTest>
#include <nlohmann/json.hpp>
#include <set>

using namespace loadlab;

class tst_Variant : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void goesThroughJsonUnchanged();
    void equalVariantsHaveEqualHashes();
    void everyDifferenceChangesTheHash();
    void showsAJsonMapAsAnObject();
    void readsMaxMemory();
    void limitsGoThroughJson();
    void readsTheGuardsMargin();
    void everyModeHasOneName();
};

static Variant sample()
{
    Variant variant;
    variant.dtype = "bfloat16";
    variant.deviceMap = R"({"lm_head":"cpu"})";
    variant.maxMemory = {{"0", 20}, {"cpu", 60}};
    variant.options = {{"reader", "read"}};
    return variant;
}

void tst_Variant::goesThroughJsonUnchanged()
{
    QVERIFY(variantFromJson(toJson(sample())).value() == sample());
    QVERIFY(variantFromJson(toJson(Variant {})).value() == Variant {});
    QVERIFY(!variantFromJson(nlohmann::json {{"dtype", 4}}));
}

void tst_Variant::equalVariantsHaveEqualHashes()
{
    Variant spaced = sample();
    spaced.deviceMap = R"({ "lm_head" : "cpu" })";
    QCOMPARE(canonicalHash(spaced), canonicalHash(sample()));
}

void tst_Variant::everyDifferenceChangesTheHash()
{
    std::set<std::string> hashes {canonicalHash(sample())};
    Variant other = sample();
    other.dtype = "float16";
    hashes.insert(canonicalHash(other));
    other.environment = "venv";
    hashes.insert(canonicalHash(other));
    other.maxMemory.clear();
    hashes.insert(canonicalHash(other));
    other.options["reader"] = "mapped";
    hashes.insert(canonicalHash(other));
    QCOMPARE(hashes.size(), std::size_t {5});
}

void tst_Variant::showsAJsonMapAsAnObject()
{
    QVERIFY(toJson(sample())["device_map"].is_object());
    QVERIFY(toJson(Variant {})["device_map"].is_string());
    QVERIFY(toJson(Variant {})["max_memory"].is_null());
}

void tst_Variant::readsMaxMemory()
{
    const auto memory = parseMaxMemory("0=20GiB,cpu=60GB");
    QVERIFY(memory.has_value());
    QCOMPARE((*memory).at("0"), std::uint64_t {20} << 30);
    QCOMPARE((*memory).at("cpu"), std::uint64_t {60'000'000'000});
    for (const char* bad : {"", "20GiB", "=1", "0=lots", "0=1GiB,"})
        QVERIFY2(!parseMaxMemory(bad), bad);
}

void tst_Variant::limitsGoThroughJson()
{
    Limits limits;
    limits.timeout = std::chrono::seconds(90);
    limits.sampleHz = 100;
    const Limits back = limitsFromJson(toJson(limits)).value();
    QVERIFY(back.timeout == limits.timeout);
    QVERIFY(!back.stall);
    QCOMPARE(back.sampleHz, 100.0);
}

void tst_Variant::readsTheGuardsMargin()
{
    QCOMPARE(parseGuardMargin("2GiB").value(), (GuardMargin{std::uint64_t{2} << 30, 0}));
    QCOMPARE(parseGuardMargin(" 2.5 % ").value(), (GuardMargin{std::nullopt, 2.5}));
    QCOMPARE((GuardMargin{std::nullopt, 25}).of(4000), std::uint64_t{1000});
    for (const char* word : {"2GiB", "300MiB", "4097", "5%", "2.5%"})
        QCOMPARE(toWord(parseGuardMargin(word).value()), std::string(word));
    for (const char* bad : {"", "0", "0%", "100%", "-1GiB", "much", "%"})
        QVERIFY2(!parseGuardMargin(bad), bad);
}

void tst_Variant::everyModeHasOneName()
{
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kFailureModeCount; ++i) {
        const auto mode = static_cast<FailureMode>(i);
        names.insert(toWireName(mode));
        QVERIFY(findFailureMode(toWireName(mode)) == mode);
        QVERIFY(!toWords(mode).empty());
    }
    QCOMPARE(names.size(), kFailureModeCount);
    QVERIFY(!findFailureMode("oom"));
}

QTEST_APPLESS_MAIN(tst_Variant)
#include "tst_Variant.moc"
