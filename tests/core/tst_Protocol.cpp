#include "core/Text.h"
#include "core/worker/Protocol.h"

#include <QtTest>
#include <nlohmann/json.hpp>

using namespace loadlab;
using namespace loadlab::protocol;
using nlohmann::json;

namespace {

/// Through text and back, as between lab and worker.
Message sent(const Message& message)
{
    Result<Message> back = messageFromJson(json::parse(toJson(message).dump()));
    return back ? *back : Message{-1, Warning{"test", back.error().message}};
}

std::string refusal(const char* text)
{
    const Result<Message> message = messageFromJson(json::parse(text));
    return message ? std::string("accepted") : message.error().message;
}

} // namespace

class tst_Protocol : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyEventComesBackAsItWent();
    void loadedKeepsEveryField();
    void anotherProtocolIsRefusedByNumber();
    void namesTheFieldThatIsMissingOrWrong();
    void unknownFieldsAreIgnored();
    void aJobKeepsAPathOfAnyBytes();
    void commandsComeBackAsTheyWent();
    void bytesThatAreNoUtf8NeverReachTheWire();
    void aTurnKeepsItsOwnFields();
};

void tst_Protocol::everyEventComesBackAsItWent()
{
    const Message hello = sent({5, Hello{kVersion, "libtorch", {{"libtorch", "1.13.1"}}, {{"devices", "cpu"}}}});
    QCOMPARE(hello.monotonicNs, 5);
    QCOMPARE(std::get<Hello>(hello.body).versions.at("libtorch"), std::string("1.13.1"));
    QCOMPARE(std::get<Hello>(hello.body).facts.at("devices"), std::string("cpu"));
    QCOMPARE(std::get<PhaseEntered>(sent({6, PhaseEntered{"reading"}}).body).name, std::string("reading"));

    const Message progress = sent({7, Progress{"tensors", 3, 291, 1ULL << 40, 1ULL << 41, "model.norm.weight"}});
    QCOMPARE(std::get<Progress>(progress.body).doneBytes, std::uint64_t{1} << 40);
    QCOMPARE(std::get<Progress>(progress.body).what, std::string("model.norm.weight"));

    QCOMPARE(std::get<Warning>(sent({8, Warning{"dtype_kept_raw", "kept"}}).body).code, std::string("dtype_kept_raw"));
    const Message error
        = sent({9, WorkerError{"corrupt_file", "bad header", "frames", "a.safetensors", "fetch again"}});
    QCOMPARE(typeOf(error), std::string_view("error"));
    QCOMPARE(std::get<WorkerError>(error.body).type, std::string("corrupt_file"));
    QCOMPARE(std::get<WorkerError>(error.body).remedy, std::string("fetch again"));
    QCOMPARE(std::get<Bye>(sent({10, Bye{3}}).body).code, 3);
}

void tst_Protocol::loadedKeepsEveryField()
{
    Loaded loaded;
    loaded.parameters = 494'032'768;
    loaded.dtypes = {{"F32", 494'032'768}};
    loaded.devices = {{"cpu", 1'976'131'072}};
    loaded.tensors = 290;
    loaded.missing = {"lm_head.weight"};
    loaded.misshaped = {"a: expected [1], stored [2]"};
    loaded.missingCount = 120;
    loaded.misshapedCount = 1;
    loaded.familyKnown = true;
    loaded.nonFiniteTensors = 2;
    loaded.nonFinite = {"x", "y"};
    loaded.sampledValues = 4096;
    loaded.facts = {{"reader", "mapped views"}};
    QCOMPARE(toJson(sent({1, loaded})), toJson(Message{1, loaded}));
    QCOMPARE(std::get<Loaded>(sent({1, loaded}).body).missingCount, 120U);
}

void tst_Protocol::anotherProtocolIsRefusedByNumber()
{
    const std::string message = refusal(R"({"event": "hello", "t_ns": 1, "protocol": 7, "backend": "x"})");
    QVERIFY2(message.find("protocol 7") != std::string::npos && message.find("speaks 1") != std::string::npos,
        message.c_str());
    const Result<Job> job = jobFromJson(json{{"command", "job"}, {"protocol", 9}});
    QVERIFY(!job && job.error().message.find("protocol 9") != std::string::npos);
}

void tst_Protocol::namesTheFieldThatIsMissingOrWrong()
{
    QCOMPARE(refusal(R"({"t_ns": 1})"), std::string("event lacks \"event\""));
    QCOMPARE(refusal(R"({"event": "progress", "t_ns": 1, "unit": "tensors", "total": 2})"),
        std::string("progress lacks \"done\""));
    QVERIFY(refusal(R"({"event": "progress", "t_ns": 1, "unit": "tensors", "total": 2, "done": -1})")
                .starts_with("progress.done should be"));
    QVERIFY(refusal(R"({"event": "progress", "t_ns": 1, "unit": "tensors", "total": 2, "done": 1.5})")
                .starts_with("progress.done should be"));
    QVERIFY(refusal(R"({"event": "progress", "t_ns": 1, "unit": 4, "total": 2, "done": 1})")
                .starts_with("progress.unit should be a string"));
    QCOMPARE(refusal(R"({"event": "phase", "name": "reading"})"), std::string("event lacks \"t_ns\""));
    QVERIFY(refusal(R"({"event": "dance", "t_ns": 1})").find("'dance'") != std::string::npos);
    QVERIFY(refusal(R"([1])").find("an object") != std::string::npos);
    QVERIFY(refusal(R"({"event": "loaded", "t_ns": 1, "parameters": 1, "dtypes": {"F32": "x"}, "devices": {}})")
                .starts_with("loaded.dtypes.F32"));
}

void tst_Protocol::unknownFieldsAreIgnored()
{
    QCOMPARE(refusal(R"({"event": "phase", "t_ns": 1, "name": "reading", "colour": "red"})"), std::string("accepted"));
}

void tst_Protocol::aJobKeepsAPathOfAnyBytes()
{
    Job job{"uuid", std::string("/models/\xff\xfe") + "name", {}, "/share"};
    job.variant.dtype = "float32";
    job.variant.options = {{"mode", "ok"}};
    const json wire = json::parse(toJson(job).dump());
    QCOMPARE(wire.at("checkpoint").get<std::string>(), std::string("/models/\xEF\xBF\xBD\xEF\xBF\xBDname"));
    QVERIFY(!wire.contains("resources_hex"));
    const Result<Job> back = jobFromJson(wire);
    QVERIFY(back);
    QCOMPARE(back->checkpoint, job.checkpoint);
    QCOMPARE(back->resources, job.resources);
    QVERIFY(back->variant == job.variant);

    json broken = wire;
    broken["checkpoint_hex"] = "0g";
    QVERIFY(!jobFromJson(broken));
}

void tst_Protocol::commandsComeBackAsTheyWent()
{
    const Result<Command> exercise = commandFromJson(toJson(Command{Exercise{"prompt", "hello"}}));
    QVERIFY(exercise);
    QCOMPARE(std::get<Exercise>(*exercise).argument, std::string("hello"));
    QVERIFY(std::holds_alternative<Cancel>(*commandFromJson(toJson(Command{Cancel{}}))));
    QVERIFY(std::holds_alternative<Unload>(*commandFromJson(toJson(Command{Unload{}}))));
    const Result<Command> other = commandFromJson(json{{"command", "dance"}});
    QVERIFY(!other && other.error().message.find("'dance'") != std::string::npos);
}

void tst_Protocol::bytesThatAreNoUtf8NeverReachTheWire()
{
    const std::string bad = "a\xff";
    for (const Body& body :
        {Body{Warning{bad, bad}}, Body{WorkerError{bad, bad, bad, bad, bad}}, Body{Hello{1, bad, {{bad, bad}}, {}}},
            Body{Progress{bad, 0, 0, 0, 0, bad}}, Body{PhaseEntered{bad}}, Body{Turn{bad}}})
        QVERIFY(isUtf8(toJson(Message{1, body}).dump()));
}

void tst_Protocol::aTurnKeepsItsOwnFields()
{
    const Result<Message> turn
        = messageFromJson(json::parse(R"({"event": "turn", "t_ns": 4, "reply": "yes", "tokens": 3})"));
    QVERIFY(turn);
    const json again = toJson(*turn);
    QCOMPARE(again.at("reply").get<std::string>(), std::string("yes"));
    QCOMPARE(again.at("tokens").get<int>(), 3);
}

QTEST_APPLESS_MAIN(tst_Protocol)
#include "tst_Protocol.moc"
