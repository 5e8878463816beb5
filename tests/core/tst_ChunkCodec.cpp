#include "core/curve/ChunkCodec.h"

#include <QtTest>
#include <random>
#include <zstd.h>

using namespace loadlab;

namespace {

constexpr std::int64_t kPage = 4096;

/// A load as the sampler sees it at 20 Hz: whole microseconds with jitter, memory in pages, noise of the machine.
std::vector<Sample> realisticCurve(std::size_t count)
{
    std::mt19937_64 random(7);
    const auto noise = [&random](std::int64_t width) {
        return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(width));
    };
    std::vector<Sample> samples(count);
    std::int64_t anon = 14'000 * kPage;
    std::int64_t available = 6'000'000 * kPage;
    std::int64_t faults = 12'000;
    std::int64_t cpu = 80'000'000;
    std::int64_t readBytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
        auto& sample = samples[i];
        sample.monotonicNs = 8'123'456'789'000 + static_cast<std::int64_t>(i) * 50'000'000 + noise(60) * 1000;
        const bool loading = i > count / 10 && i < count * 8 / 10;
        const auto pages = loading ? 14'000 + noise(800) : 0;
        anon += pages * kPage;
        available -= (pages + noise(64) - 32) * kPage;
        faults += pages;
        cpu += loading ? 49'000'000 + noise(900'000) : noise(200'000);
        readBytes += loading ? 28'000'000 + noise(100) * kPage : 0;
        sample[Column::AnonBytes] = anon;
        sample[Column::FileBytes] = 24'000 * kPage;
        sample[Column::ShmemBytes] = 0;
        sample[Column::SwapBytes] = 0;
        sample[Column::TreeBytes] = anon;
        sample[Column::RssBytes] = anon + 24'000 * kPage;
        sample[Column::MinorFaults] = faults;
        sample[Column::MajorFaults] = 17;
        sample[Column::CpuNs] = cpu;
        sample[Column::ReadBytes] = readBytes;
        sample[Column::ReadCharBytes] = readBytes + 1'234'567;
        sample[Column::Processes] = 1;
        sample[Column::Threads] = 3;
        sample[Column::SystemAvailableBytes] = available;
        sample[Column::SystemFreeBytes] = available - 200'000 * kPage + noise(16) * kPage;
        sample[Column::SystemCacheBytes] = 200'000 * kPage + noise(16) * kPage;
        sample[Column::SystemSwapUsedBytes] = 0;
        sample[Column::SystemPsiSomeUs] = 0;
        sample[Column::SystemPsiFullUs] = 0;
    }
    return samples;
}

std::vector<Sample> wildSamples(unsigned seed)
{
    std::mt19937_64 random(seed);
    std::vector<Sample> samples(random() % 70);
    for (auto& sample : samples) {
        sample.monotonicNs = static_cast<std::int64_t>(random());
        for (auto& value : sample.values)
            switch (random() % 4) {
            case 0:
                break;
            case 1:
                value = static_cast<std::int64_t>(random());
                break;
            case 2:
                value = std::numeric_limits<std::int64_t>::max() - static_cast<std::int64_t>(random() % 3);
                break;
            default:
                value = kAbsent + 1 + static_cast<std::int64_t>(random() % 3);
            }
    }
    return samples;
}

std::string payloadOf(const std::string& blob)
{
    std::string payload(ZSTD_getFrameContentSize(blob.data() + 1, blob.size() - 1), '\0');
    ZSTD_decompress(payload.data(), payload.size(), blob.data() + 1, blob.size() - 1);
    return payload;
}

std::string blobOf(const std::string& payload)
{
    std::string blob(1 + ZSTD_compressBound(payload.size()), '\x01');
    blob.resize(1 + ZSTD_compress(blob.data() + 1, blob.size() - 1, payload.data(), payload.size(), 1));
    return blob;
}

void compareDecoded(const std::vector<Sample>& samples)
{
    const auto decoded = decodeChunk(encodeChunk(samples));
    QVERIFY2(decoded, decoded ? "" : decoded.error().message.c_str());
    QCOMPARE(decoded->size(), samples.size());
    QVERIFY(*decoded == samples);
}

} // namespace

class tst_ChunkCodec : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void realisticSamplesComeBack() { compareDecoded(realisticCurve(1200)); }
    void noSamplesComeBack() { compareDecoded({}); }
    void oneSampleComesBack() { compareDecoded(realisticCurve(1)); }

    void samplesWithoutAnyValueKeepTheirTimes()
    {
        std::vector<Sample> samples(3);
        samples[1].monotonicNs = -5;
        samples[2].monotonicNs = std::numeric_limits<std::int64_t>::max();
        compareDecoded(samples);
    }

    void anyValuesComeBack()
    {
        for (unsigned seed = 0; seed < 500; ++seed)
            compareDecoded(wildSamples(seed));
    }

    void columnsOfALowerRateComeBack()
    {
        auto samples = realisticCurve(1000);
        for (std::size_t i = 0; i < samples.size(); ++i)
            if (i % 20 != 0)
                for (const auto column : {Column::FileBytes, Column::ShmemBytes, Column::SystemAvailableBytes})
                    samples[i][column] = kAbsent;
        compareDecoded(samples);
    }

    void aMinuteOfALoadTakesFewBytes()
    {
        const auto samples = realisticCurve(1200);
        const auto bytes = static_cast<double>(encodeChunk(samples).size()) / static_cast<double>(samples.size());
        qInfo("%.2f bytes a sample of %zu columns", bytes, kColumnCount);
        QVERIFY(bytes < 24);
    }

    void aSecondOfALoadTakesFewBytes()
    {
        const auto samples = realisticCurve(20);
        const auto bytes = static_cast<double>(encodeChunk(samples).size()) / static_cast<double>(samples.size());
        qInfo("%.2f bytes a sample", bytes);
        QVERIFY(bytes < 40);
    }

    void everyCutIsRefused()
    {
        const auto blob = encodeChunk(realisticCurve(50));
        for (std::size_t size = 0; size < blob.size(); ++size) {
            const auto decoded = decodeChunk(std::string_view(blob).substr(0, size));
            QVERIFY2(!decoded, qPrintable(QString("cut at %1").arg(size)));
            QCOMPARE(decoded.error().kind, ErrorKind::Invalid);
        }
    }

    void bytesBehindTheEndAreRefused() { QVERIFY(!decodeChunk(encodeChunk(realisticCurve(5)) + "x")); }

    void alteredBytesNeverCrashAndNeverLie()
    {
        const auto samples = realisticCurve(200);
        const auto blob = encodeChunk(samples);
        std::mt19937 random(11);
        for (int round = 0; round < 2000; ++round) {
            auto altered = blob;
            for (unsigned i = 0; i <= random() % 4; ++i)
                altered[random() % altered.size()] ^= static_cast<char>(1 + random() % 255);
            const auto decoded = decodeChunk(altered);
            // The checksum finds the alteration; where it hit bytes that zstd ignores, the samples are the same.
            QVERIFY(!decoded || *decoded == samples);
        }
    }

    void alteredPayloadsUnderAGoodChecksumNeverCrash()
    {
        std::mt19937 random(17);
        std::vector<std::string> payloads;
        for (unsigned seed = 0; seed < 50; ++seed)
            payloads.push_back(payloadOf(encodeChunk(wildSamples(seed))));
        for (std::size_t round = 0; round < 5000; ++round) {
            auto payload = payloads[round % payloads.size()];
            for (unsigned i = 0; i <= random() % 4 && !payload.empty(); ++i)
                payload[random() % payload.size()] = static_cast<char>(random());
            if (random() % 4 == 0)
                payload.resize(random() % (payload.size() + 1));
            const auto decoded = decodeChunk(blobOf(payload));
            QVERIFY(!decoded || decoded->size() <= kMaxChunkSamples);
        }
    }

    void aClaimOfTooManySamplesIsRefused()
    {
        std::string payload;
        for (std::uint64_t count = kMaxChunkSamples + 1; count != 0; count >>= 7)
            payload.push_back(static_cast<char>((count & 0x7F) | (count >= 0x80 ? 0x80 : 0)));
        const auto decoded = decodeChunk(blobOf(payload + std::string(2'000'000, '\0')));
        QVERIFY(!decoded);
        QVERIFY(QString::fromStdString(decoded.error().message).contains("more samples"));
    }

    void aFewBytesThatUnpackToMuchMoreThanTheyClaimAreRefused()
    {
        const std::string zeros(std::size_t{50} << 20, '\0');
        const auto blob = blobOf(zeros);
        QVERIFY(blob.size() < 100'000);
        const auto decoded = decodeChunk(blob);
        QVERIFY(!decoded);
        QVERIFY(QString::fromStdString(decoded.error().message).contains("larger than any chunk"));
    }

    void columnsOfANewerLoadLabAreNamed()
    {
        // One sample at 0 (predictor 0, unit 1, residual 0), then a mask with a bit that nobody knows.
        std::string payload{"\x01\x00\x01\x00", 4};
        for (int i = 0; i < 8; ++i)
            payload.push_back('\x80');
        payload.push_back('\x20');
        const auto decoded = decodeChunk(blobOf(payload));
        QVERIFY(!decoded);
        QVERIFY(QString::fromStdString(decoded.error().message).contains("newer LoadLab"));
    }

    void randomBytesNeverCrash()
    {
        std::mt19937 random(13);
        for (int round = 0; round < 5000; ++round) {
            std::string bytes(random() % 300, '\0');
            for (auto& byte : bytes)
                byte = static_cast<char>(random());
            if (!bytes.empty() && round % 2 == 0)
                bytes.front() = '\x01';
            QVERIFY(!decodeChunk(bytes));
        }
    }

    void aNewerFormatIsNamed()
    {
        auto blob = encodeChunk(realisticCurve(5));
        blob.front() = 9;
        const auto decoded = decodeChunk(blob);
        QVERIFY(!decoded);
        QVERIFY(QString::fromStdString(decoded.error().message).contains("format 9"));
    }
};

QTEST_APPLESS_MAIN(tst_ChunkCodec)
#include "tst_ChunkCodec.moc"
