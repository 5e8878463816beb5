// Cost of looking at checkpoints, warm: build/bench/tests/bench_checkpoint
#include "CheckpointFiles.h"
#include "ModelConfigs.h"

#include "core/checkpoint/Checkpoint.h"
#include "core/checkpoint/Zoo.h"

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <nlohmann/json.hpp>

using namespace loadlab;
using namespace loadlab::test;

namespace {

const FamilyCatalog& catalog()
{
    static const FamilyCatalog families = FamilyCatalog::load(LOADLAB_SOURCE_DIR "/resources/families");
    return families;
}

/// 20,000 tensors in 16 shards with an index; the family is known, so names and shapes are compared too.
nlohmann::json config20000()
{
    nlohmann::json config{{"architectures", {"Qwen3MoeForCausalLM"}}, {"model_type", "qwen3_moe"},
        {"hidden_size", 2048}, {"num_hidden_layers", 51}, {"num_attention_heads", 32}, {"num_key_value_heads", 4},
        {"head_dim", 128}, {"intermediate_size", 6144}, {"moe_intermediate_size", 768}, {"num_experts", 128},
        {"vocab_size", 151936}};
    return config;
}

void inspect20000Tensors(benchmark::State& state)
{
    const Scratch folder;
    writeStandIn(folder / "moe", catalog(), config20000(), 16);
    std::uint64_t tensors = 0;
    for (auto _ : state) {
        const Result<Checkpoint> checkpoint = inspectCheckpoint(folder / "moe", catalog());
        tensors = checkpoint->tensorCount;
        if (checkpoint->state != CheckpointState::Complete)
            std::abort();
    }
    state.counters["tensors"] = static_cast<double>(tensors);
}
BENCHMARK(inspect20000Tensors)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

void inspectQwenHalfBillion(benchmark::State& state)
{
    const Scratch folder;
    writeStandIn(folder / "qwen", catalog(), qwen25Config("0.5B"));
    for (auto _ : state)
        benchmark::DoNotOptimize(inspectCheckpoint(folder / "qwen", catalog()));
}
BENCHMARK(inspectQwenHalfBillion)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

/// 200 checkpoints of four kinds, each as large as published ones of that kind.
void scanZooOf200(benchmark::State& state)
{
    const Scratch folder;
    for (int i = 0; i < 50; ++i) {
        const std::string n = std::to_string(i);
        writeStandIn(folder / ("qwen-0.5b-" + n), catalog(), qwen25Config("0.5B"));
        writeStandIn(folder / ("qwen-7b-" + n), catalog(), qwen25Config("7B"), 4);
        writeStandIn(folder / ("qwen-14b-" + n), catalog(), qwen25Config("14B"), 8);
        writeStandIn(folder / ("nemotron-" + n), catalog(), nemotronConfig(), 2);
    }
    for (auto _ : state) {
        const std::vector<ZooFolder> zoo = scanZoo({folder.path()}, catalog());
        if (zoo.front().checkpoints.size() != 200)
            std::abort();
    }
}
BENCHMARK(scanZooOf200)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

void headerOfOneLargeShard(benchmark::State& state)
{
    const Scratch folder;
    writeStandIn(folder / "moe", catalog(), config20000(), 1);
    for (auto _ : state)
        benchmark::DoNotOptimize(SafetensorsHeader::load(folder / "moe" / "model.safetensors"));
    state.SetBytesProcessed(static_cast<std::int64_t>(
        state.iterations() * SafetensorsHeader::load(folder / "moe" / "model.safetensors")->dataOffset()));
}
BENCHMARK(headerOfOneLargeShard)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

/// What the same text costs nlohmann's event reader, with a handler that does nothing: the choice in HeaderText.cpp.
struct Nothing : nlohmann::json_sax<nlohmann::json> {
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return true; }
    bool key(string_t&) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }
};

void sameTextByNlohmann(benchmark::State& state)
{
    std::vector<TensorSpec> tensors;
    const auto expected = catalog().findByModelType("qwen3_moe")->expectedTensors(config20000());
    for (const ExpectedTensor& tensor : *expected)
        tensors.push_back({tensor.name, "BF16", tensor.shape});
    const std::string text = headerText(tensors);
    for (auto _ : state) {
        Nothing events;
        benchmark::DoNotOptimize(nlohmann::json::sax_parse(text, &events));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(sameTextByNlohmann)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

} // namespace

BENCHMARK_MAIN();
