#include "core/checkpoint/DemoModel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

constexpr std::uint64_t kHeadDim = 64;
constexpr std::uint64_t kGroup = 128;
constexpr double kDeviation = 0.02;

bool endsWith(std::string_view name, std::string_view end)
{
    return name.size() >= end.size() && name.substr(name.size() - end.size()) == end;
}

std::uint16_t toBf16(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/// Quantile of the normal distribution by bisection of erfc: made once, so it may be slow and plain.
double normalQuantile(double share)
{
    double low = -8.0;
    double high = 8.0;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (0.5 * std::erfc(-middle / std::sqrt(2.0)) < share ? low : high) = middle;
    }
    return (low + high) / 2;
}

/// splitmix64's output function: a number's bits well mixed.
std::uint64_t mixed(std::uint64_t number)
{
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

std::uint64_t streamOf(std::uint64_t seed, std::string_view name)
{
    std::uint64_t stream = mixed(seed + 0x9e3779b97f4a7c15u);
    for (const char c : name)
        stream = mixed(stream ^ static_cast<unsigned char>(c));
    return stream;
}

/// Calls `put` with each 64 bit word of the block's random stream.
template <typename Put> void eachWord(std::uint64_t stream, std::uint64_t offset, std::size_t bytes, Put&& put)
{
    std::uint64_t counter = stream + offset / 8 * 0x9e3779b97f4a7c15u;
    for (std::size_t at = 0; at < bytes; at += 8, counter += 0x9e3779b97f4a7c15u)
        put(at, mixed(counter), std::min<std::size_t>(8, bytes - at));
}

struct Linear {
    std::string name;
    std::uint64_t out = 0;
    std::uint64_t in = 0;
    bool bias = false;
};

std::vector<Linear> linearsOf(const DemoShape& shape, const std::string& layer)
{
    const std::uint64_t kv = shape.kvHeads * kHeadDim;
    return {{layer + ".self_attn.q_proj", shape.heads * kHeadDim, shape.hidden, true},
        {layer + ".self_attn.k_proj", kv, shape.hidden, true}, {layer + ".self_attn.v_proj", kv, shape.hidden, true},
        {layer + ".self_attn.o_proj", shape.hidden, shape.heads * kHeadDim, false},
        {layer + ".mlp.gate_proj", shape.intermediate, shape.hidden, false},
        {layer + ".mlp.up_proj", shape.intermediate, shape.hidden, false},
        {layer + ".mlp.down_proj", shape.hidden, shape.intermediate, false}};
}

/// What a weight_shape tensor says: the shape before packing.
std::pair<std::uint64_t, std::uint64_t> unpackedShape(const DemoShape& shape, std::string_view name)
{
    for (const Linear& linear : linearsOf(shape, {}))
        if (endsWith(name, linear.name + ".weight_shape"))
            return {linear.out, linear.in};
    return {0, 0};
}

void addPlain(std::vector<TensorSpec>& tensors, const Linear& linear)
{
    tensors.push_back({linear.name + ".weight", Dtype::BF16, {linear.out, linear.in}});
}

void addPacked(std::vector<TensorSpec>& tensors, const Linear& linear)
{
    tensors.push_back({linear.name + ".weight_packed", Dtype::I32, {linear.out, linear.in / 4}});
    tensors.push_back({linear.name + ".weight_scale", Dtype::BF16, {linear.out, linear.in / kGroup}});
    tensors.push_back({linear.name + ".weight_shape", Dtype::I64, {2}});
}

std::vector<TensorSpec> tensorsOf(const DemoShape& shape, void (*add)(std::vector<TensorSpec>&, const Linear&))
{
    std::vector<TensorSpec> tensors{{"model.embed_tokens.weight", Dtype::BF16, {shape.vocabulary, shape.hidden}},
        {"model.norm.weight", Dtype::BF16, {shape.hidden}}};
    for (std::uint64_t i = 0; i < shape.layers; ++i) {
        const std::string layer = "model.layers." + std::to_string(i);
        for (const Linear& linear : linearsOf(shape, layer)) {
            add(tensors, linear);
            if (linear.bias)
                tensors.push_back({linear.name + ".bias", Dtype::BF16, {linear.out}});
        }
        for (const char* norm : {".input_layernorm.weight", ".post_attention_layernorm.weight"})
            tensors.push_back({layer + norm, Dtype::BF16, {shape.hidden}});
    }
    return tensors;
}

std::uint64_t layerBytes(const DemoShape& shape)
{
    DemoShape one = shape;
    one.layers = 1;
    DemoShape none = shape;
    none.layers = 0;
    return one.weightBytes() - none.weightBytes();
}

void narrow(DemoShape& shape, std::uint64_t heads)
{
    shape.heads = heads;
    shape.hidden = heads * kHeadDim;
    shape.intermediate = std::max(kGroup, shape.hidden * 38 / 7 / kGroup * kGroup);
}

} // namespace

DemoShape DemoShape::within(std::uint64_t bytes)
{
    constexpr std::uint64_t leastVocabulary = 1024;
    DemoShape shape;
    for (const std::uint64_t heads : std::array<std::uint64_t, 4>{14, 10, 6, 2}) {
        narrow(shape, heads);
        shape.vocabulary = DemoShape().vocabulary;
        const std::uint64_t perToken = shape.hidden * 2;
        const std::uint64_t perLayer = layerBytes(shape);
        const std::uint64_t embedding = shape.vocabulary * perToken + perToken;
        shape.layers = bytes > embedding ? std::min(DemoShape().layers, (bytes - embedding) / perLayer) : 0;
        if (shape.layers >= 1)
            return shape;
        shape.layers = 1;
        const std::uint64_t rest = perLayer + perToken;
        const std::uint64_t tokens = bytes > rest ? (bytes - rest) / perToken : 0;
        shape.vocabulary = std::max(leastVocabulary, std::min(tokens, shape.vocabulary) / 64 * 64);
        if (tokens >= leastVocabulary)
            return shape;
    }
    return shape;
}

std::vector<TensorSpec> DemoShape::tensors() const
{
    return tensorsOf(*this, addPlain);
}

std::vector<TensorSpec> DemoShape::packedTensors() const
{
    return tensorsOf(*this, addPacked);
}

std::uint64_t DemoShape::weightBytes() const
{
    std::uint64_t sum = 0;
    for (const TensorSpec& tensor : tensors())
        sum += tensor.sizeBytes();
    return sum;
}

nlohmann::json DemoShape::config() const
{
    return {{"architectures", {"Qwen2ForCausalLM"}}, {"attention_dropout", 0.0}, {"bos_token_id", 151643},
        {"eos_token_id", 151645}, {"hidden_act", "silu"}, {"hidden_size", hidden}, {"initializer_range", 0.02},
        {"intermediate_size", intermediate}, {"max_position_embeddings", 32768}, {"max_window_layers", 21},
        {"model_type", "qwen2"}, {"num_attention_heads", heads}, {"num_hidden_layers", layers},
        {"num_key_value_heads", kvHeads}, {"rms_norm_eps", 1e-6}, {"rope_theta", 1000000.0}, {"sliding_window", 32768},
        {"tie_word_embeddings", true}, {"torch_dtype", "bfloat16"}, {"transformers_version", "4.43.1"},
        {"use_cache", true}, {"use_sliding_window", false}, {"vocab_size", vocabulary}};
}

nlohmann::json DemoShape::packedConfig() const
{
    nlohmann::json whole = config();
    whole["quantization_config"] = {{"quant_method", "compressed-tensors"}, {"format", "pack-quantized"},
        {"quantization_status", "compressed"}, {"ignore", {"lm_head"}},
        {"config_groups",
            {{"group_0",
                {{"targets", {"Linear"}}, {"input_activations", nullptr}, {"output_activations", nullptr},
                    {"weights",
                        {{"num_bits", 8}, {"type", "int"}, {"strategy", "group"}, {"group_size", kGroup},
                            {"symmetric", true}, {"dynamic", false}, {"actorder", nullptr}}}}}}}};
    return whole;
}

nlohmann::json DemoShape::generationConfig()
{
    return {{"bos_token_id", 151643}, {"do_sample", true}, {"eos_token_id", {151645, 151643}}, {"pad_token_id", 151643},
        {"repetition_penalty", 1.1}, {"temperature", 0.7}, {"top_k", 20}, {"top_p", 0.8},
        {"transformers_version", "4.43.1"}};
}

DemoValues::DemoValues(std::uint64_t seed, const DemoShape& shape)
    : m_seed(seed)
    , m_shape(shape)
    , m_normal(65536)
{
    for (std::size_t i = 0; i < 32768; ++i) {
        const double quantile = normalQuantile((static_cast<double>(i) + 0.5) / 65536.0);
        m_normal[i] = toBf16(static_cast<float>(kDeviation * quantile));
        m_normal[65535 - i] = static_cast<std::uint16_t>(m_normal[i] ^ 0x8000);
    }
}

void DemoValues::fill(const TensorSpec& tensor, std::uint64_t offset, std::span<std::byte> into) const
{
    const std::uint64_t stream = streamOf(m_seed, tensor.name);
    const auto words = [&](auto&& make) {
        eachWord(stream, offset, into.size(), [&](std::size_t at, std::uint64_t random, std::size_t bytes) {
            const std::uint64_t word = make(random);
            std::memcpy(into.data() + at, &word, bytes);
        });
    };
    const auto lanes = [&](auto&& value) {
        words([&](std::uint64_t random) {
            std::uint64_t word = 0;
            for (int lane = 0; lane < 64; lane += 16)
                word |= static_cast<std::uint64_t>(value(static_cast<std::uint16_t>(random >> lane))) << lane;
            return word;
        });
    };
    if (endsWith(tensor.name, "weight_shape")) {
        const auto [out, in] = unpackedShape(m_shape, tensor.name);
        words([word = 0, out, in](std::uint64_t) mutable { return word++ == 0 ? out : in; });
    } else if (endsWith(tensor.name, "weight_packed")) {
        words([](std::uint64_t random) { return random; });
    } else if (endsWith(tensor.name, "weight_scale")) {
        lanes([](std::uint16_t random) { return toBf16(0.0005f + 0.0005f * static_cast<float>(random) / 65536.0f); });
    } else if (endsWith(tensor.name, "norm.weight")) {
        lanes([](std::uint16_t random) { return toBf16(0.9f + 0.2f * static_cast<float>(random) / 65536.0f); });
    } else {
        lanes([this](std::uint16_t random) { return m_normal[random]; });
    }
}

} // namespace loadlab
