#include "core/checkpoint/QuantizationScan.h"

#include "core/Text.h"
#include "core/Units.h"
#include "core/checkpoint/HeaderText.h"
#include "core/checkpoint/StructureReport.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

namespace loadlab {
namespace {

using Json = nlohmann::json;

const Json* member(const Json* json, const char* key)
{
    if (json == nullptr || !json->is_object())
        return nullptr;
    const auto found = json->find(key);
    return found == json->end() || found->is_null() ? nullptr : &*found;
}

std::string textOf(const Json* json)
{
    return json != nullptr && json->is_string() ? toUtf8(json->get<std::string>()) : std::string();
}

std::optional<int> intOf(const Json* json)
{
    if (json == nullptr || !json->is_number_integer())
        return std::nullopt;
    const auto value = json->get<std::int64_t>();
    return value > -2 && value < 1'000'000 ? std::optional(static_cast<int>(value)) : std::nullopt;
}

bool isTrue(const Json* json)
{
    return json != nullptr && json->is_boolean() && json->get<bool>();
}

/// What the tensors' names and dtypes say.
struct Evidence {
    std::string method; ///< Empty: nothing is quantized.
    std::string format;
    std::optional<int> bits;
    std::string example; ///< A tensor that shows it.
    std::uint64_t tensors = 0;
    bool isFloat = false; ///< The weights are 8 bit floats, one a value: not packed, though their scales are elsewhere.
};

/// A scheme by one suffix, the plainest first. `bits` 0: not to be told from the names.
struct Sign {
    std::string_view suffix;
    std::string_view method;
    std::string_view format;
    int bits;
};
constexpr std::array kSigns{
    Sign{".weight_scale_2", "modelopt", "nvfp4", 4},
    Sign{".pre_quant_scale", "modelopt", "awq", 4},
    Sign{".weight_global_scale", "compressed-tensors", "nvfp4-pack-quantized", 4},
    Sign{".weight_packed", "compressed-tensors", "pack-quantized", 0},
    Sign{".weight.quant_state.bitsandbytes__nf4", "bitsandbytes", "nf4", 4},
    Sign{".weight.quant_state.bitsandbytes__fp4", "bitsandbytes", "fp4", 4},
    Sign{".SCB", "bitsandbytes", "int8", 8},
    Sign{".g_idx", "gptq", "gptq", 0},
    Sign{".qweight", "awq", "gemm", 4},
    Sign{".weight_scale_inv", "fp8", "block", 8},
    Sign{"_blocks", "mxfp4", "mxfp4", 4},
    Sign{".weight_scale", "compressed-tensors", "", 8},
};

/// The weight that a "….weight_scale" or "….weight_scale_inv" belongs to.
std::optional<Dtype> dtypeOfScaled(std::string_view scale, const TensorTable& tensors)
{
    const std::optional<std::size_t> index = tensors.find(scale.substr(0, scale.rfind("_scale")));
    return index ? std::optional(tensors.tensor(*index).dtype) : std::nullopt;
}

/// A bare scale beside a weight: the weight's dtype tells the scheme.
void refineScaled(Evidence& evidence, const TensorTable& tensors)
{
    const std::optional<Dtype> dtype = dtypeOfScaled(evidence.example, tensors);
    if (!dtype)
        return;
    evidence.isFloat = isEightBitFloat(*dtype);
    if (!evidence.format.empty())
        return; // the scale's name said it
    if (evidence.isFloat)
        evidence.format = "float-quantized";
    else if (*dtype == Dtype::I8)
        evidence.format = "int-quantized";
    else if (*dtype == Dtype::U8)
        evidence = {"modelopt", "int4", 4, evidence.example, evidence.tensors};
}

Evidence evidenceOf(const TensorTable& tensors)
{
    Evidence evidence;
    std::array<std::string_view, kSigns.size()> examples{};
    for (std::size_t t = 0; t < tensors.count(); ++t) {
        const SafetensorsHeader::Tensor tensor = tensors.tensor(t);
        const bool isBlock = tensor.dtype == Dtype::U8 && tensor.name.ends_with("_blocks"); // MXFP4, else an odd name
        if (!isBlock && !isQuantizedPart(tensor.name))
            continue;
        ++evidence.tensors;
        for (std::size_t i = 0; i < kSigns.size(); ++i)
            if (examples[i].empty() && tensor.name.ends_with(kSigns[i].suffix))
                examples[i] = tensor.name;
    }
    for (std::size_t i = 0; i < kSigns.size(); ++i)
        if (!examples[i].empty()) {
            const Sign& sign = kSigns[i];
            evidence.method = sign.method;
            evidence.format = sign.format;
            evidence.bits = sign.bits == 0 ? std::nullopt : std::optional(sign.bits);
            evidence.example = examples[i];
            if (sign.suffix == ".weight_scale" || sign.suffix == ".weight_scale_inv")
                refineScaled(evidence, tensors);
            break;
        }
    return evidence;
}

const Json* findQuantConfig(const Json* config)
{
    for (const char* key : {"", "text_config", "thinker_config", "llm_config", "language_config"}) {
        const Json* holder = *key == '\0' ? config : member(config, key);
        for (const char* name : {"quantization_config", "compression_config"})
            if (const Json* found = member(holder, name); found != nullptr && found->is_object())
                return found;
        if (const Json* nested = member(member(holder, "text_config"), "quantization_config");
            nested != nullptr && nested->is_object())
            return nested;
    }
    return nullptr;
}

/// compressed-tensors and modelopt keep the figures by group; the first group speaks for all.
void readGroups(const Json& config, Quantization& quantization)
{
    const Json* groups = member(&config, "config_groups");
    if (groups == nullptr || !groups->is_object() || groups->empty())
        return;
    const Json& group = *groups->begin();
    const Json* weights = member(&group, "weights");
    quantization.bits = intOf(member(weights, "num_bits"));
    quantization.groupSize = intOf(member(weights, "group_size"));
    if (quantization.format.empty())
        quantization.format = textOf(member(&group, "format"));
}

Quantization readConfig(const Json& config)
{
    Quantization quantization;
    quantization.method = textOf(member(&config, "quant_method"));
    quantization.format = textOf(member(&config, "format"));
    quantization.bits = intOf(member(&config, "bits"));
    quantization.groupSize = intOf(member(&config, "group_size"));
    readGroups(config, quantization);
    const bool four = isTrue(member(&config, "load_in_4bit")) || isTrue(member(&config, "_load_in_4bit"));
    const bool eight = isTrue(member(&config, "load_in_8bit")) || isTrue(member(&config, "_load_in_8bit"));
    if (quantization.method.empty() && (four || eight))
        quantization.method = "bitsandbytes";
    if (!quantization.bits && (four || eight))
        quantization.bits = four ? 4 : 8;
    for (const char* key : {"version", "checkpoint_format", "bnb_4bit_quant_type", "quant_algo", "fmt"})
        if (quantization.format.empty())
            quantization.format = textOf(member(&config, key));
    if (!quantization.bits && (quantization.method == "fp8" || quantization.method == "fbgemm_fp8"))
        quantization.bits = 8;
    return quantization;
}

Quantization readModelopt(const Json& file)
{
    Quantization quantization;
    quantization.method = "modelopt";
    const Json* inner = member(&file, "quantization");
    quantization.format = textOf(member(inner, "quant_algo"));
    quantization.groupSize = intOf(member(inner, "group_size"));
    return quantization;
}

/// Methods whose saved weights always show in the tensors' names.
bool showsInNames(std::string_view method)
{
    static const std::set<std::string_view> methods{
        "awq", "gptq", "bitsandbytes", "compressed-tensors", "fp8", "modelopt", "mxfp4"};
    return methods.contains(method);
}

void reportContradiction(const Quantization& said, bool fromConfig, const Evidence& evidence, Findings& findings)
{
    const std::string source = fromConfig ? "config.json" : "hf_quant_config.json";
    if (evidence.method.empty() && showsInNames(said.method))
        findings.problem(CheckpointState::Complete, FailureMode::DtypeQuantizationConflict, source,
            "says that the weights are quantized (" + said.method
                + "), yet no tensor has a name that this method gives (scales, packed weights)");
    const bool sameFamily = said.method == evidence.method || said.method == "auto-round" || said.method == "autoround"
        || (said.method == "awq" && evidence.method == "gptq") || (said.method == "gptq" && evidence.method == "awq")
        || (said.method == "modelopt" && evidence.method == "compressed-tensors")
        || (said.method == "fbgemm_fp8" && evidence.method == "compressed-tensors");
    if (!evidence.method.empty() && showsInNames(said.method) && !sameFamily)
        findings.problem(CheckpointState::Complete, FailureMode::DtypeQuantizationConflict, source,
            "says " + said.method + ", yet tensors such as " + inQuotes(evidence.example) + " are those of "
                + evidence.method);
}

} // namespace

std::optional<Quantization> scanQuantization(
    const Json* config, const Json* quantConfig, const TensorTable& tensors, Findings& findings)
{
    const Json* inConfig = findQuantConfig(config);
    const Evidence evidence = evidenceOf(tensors);
    if (inConfig == nullptr && quantConfig == nullptr && evidence.method.empty())
        return std::nullopt;
    Quantization quantization;
    if (inConfig != nullptr || quantConfig != nullptr)
        quantization = inConfig != nullptr ? readConfig(*inConfig) : readModelopt(*quantConfig);
    if (inConfig != nullptr && quantization.method.empty())
        findings.problem(CheckpointState::Complete, FailureMode::DtypeQuantizationConflict, "config.json",
            "quantization_config names no quant_method");
    const bool hasWeights = tensors.count() > 0;
    if (!quantization.method.empty() && hasWeights)
        reportContradiction(quantization, inConfig != nullptr, evidence, findings);
    if (inConfig == nullptr && quantConfig == nullptr && config != nullptr)
        findings.problem(CheckpointState::Complete, FailureMode::DtypeQuantizationConflict, "config.json",
            "has no quantization_config, yet " + formatCount(evidence.tensors) + " tensors such as "
                + inQuotes(evidence.example) + " are quantized (" + evidence.method
                + "): a loader takes them for plain weights");
    if (quantization.method.empty())
        quantization.method = evidence.method.empty() ? "unknown" : evidence.method;
    if (quantization.format.empty())
        quantization.format = evidence.format;
    if (!quantization.bits)
        quantization.bits = evidence.bits;
    quantization.packed = !evidence.method.empty() && !evidence.isFloat;
    return quantization;
}

} // namespace loadlab
