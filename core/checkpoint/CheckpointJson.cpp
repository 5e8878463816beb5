#include "core/Text.h"
#include "core/checkpoint/Checkpoint.h"

#include <nlohmann/json.hpp>

namespace loadlab {
namespace {

using Json = nlohmann::json;

Json orNull(const std::string& text)
{
    return text.empty() ? Json(nullptr) : Json(text);
}

Json toJson(const Quantization& quantization)
{
    Json json{
        {"method", quantization.method}, {"format", orNull(quantization.format)}, {"packed", quantization.packed}};
    json["bits"] = quantization.bits ? Json(*quantization.bits) : Json(nullptr);
    json["group_size"] = quantization.groupSize ? Json(*quantization.groupSize) : Json(nullptr);
    return json;
}

Json toJson(const Component& component)
{
    return {{"name", component.name}, {"title", component.title}, {"tensors", component.tensors},
        {"parameters", component.parameters}, {"bytes", component.sizeBytes}};
}

Json toJson(const CheckpointFile& file)
{
    return {{"name", file.name}, {"bytes", file.sizeBytes}, {"role", file.role}, {"check", file.check},
        {"present", file.present}};
}

Json toJson(const Problem& problem)
{
    return {{"mode", toWireName(problem.mode)}, {"file", orNull(problem.file)}, {"text", problem.text}};
}

Json toJson(const Estimate& estimate)
{
    return {{"backend", estimate.backend}, {"dtype", estimate.dtype}, {"device_map", estimate.deviceMap},
        {"peak_bytes", estimate.peakBytes}, {"steady_bytes", estimate.steadyBytes}};
}

template <typename T> Json toArray(const std::vector<T>& values)
{
    Json array = Json::array();
    for (const T& value : values)
        array.push_back(toJson(value));
    return array;
}

} // namespace

Json toJson(const Checkpoint& checkpoint)
{
    Json json;
    json["path"] = toUtf8(checkpoint.path.native());
    json["name"] = checkpoint.name;
    json["family"] = orNull(checkpoint.family);
    json["family_title"] = orNull(checkpoint.familyTitle);
    json["architecture"] = orNull(checkpoint.architecture);
    json["model_type"] = orNull(checkpoint.modelType);
    json["dtype"] = orNull(checkpoint.configDtype);
    json["fingerprint"] = orNull(checkpoint.fingerprint);
    json["parameters"] = checkpoint.parameters;
    json["tensors"] = checkpoint.tensorCount;
    json["weight_bytes"] = checkpoint.weightBytes;
    json["shards"] = {{"present", checkpoint.shardsPresent}, {"expected", checkpoint.shardsExpected}};
    json["components"] = toArray(checkpoint.components);
    json["dtypes"] = Json(checkpoint.dtypes);
    json["quantization"] = checkpoint.quantization ? toJson(*checkpoint.quantization) : Json::object();
    json["files"] = toArray(checkpoint.files);
    json["state"] = toWireName(checkpoint.state);
    json["problems"] = toArray(checkpoint.problems);
    json["notes"] = checkpoint.notes;
    json["estimates"] = toArray(checkpoint.estimates);
    json["torchscript"] = checkpoint.isTorchScript;
    json["pickle"] = checkpoint.isPickle;
    return json;
}

} // namespace loadlab
