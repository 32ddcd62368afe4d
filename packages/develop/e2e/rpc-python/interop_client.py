"""The cases of gRPC's interoperability tests, by grpcio: prints the names of those that pass.

usage: python3 interop_client.py DESCRIPTORS HOST:PORT    (Debian: python3-grpcio)
"""

import sys

import grpc
from interop_messages import load

message = load(sys.argv[1])
channel = grpc.insecure_channel(sys.argv[2])
SERVICE = "/hemi.test.v1.TestService"
Payload = message("Payload")


def method(make, name: str, request: str, response: str):
    call = make(f"{SERVICE}/{name}", lambda each: each.SerializeToString(), message(response).FromString)
    return lambda *args, **options: call(*args, timeout=options.pop("timeout", 10), **options), message(request)


empty_call, Empty = method(channel.unary_unary, "EmptyCall", "Empty", "Empty")
unary_call, SimpleRequest = method(channel.unary_unary, "UnaryCall", "SimpleRequest", "SimpleResponse")
output_call, OutputRequest = method(
    channel.unary_stream, "StreamingOutputCall", "StreamingOutputCallRequest", "StreamingOutputCallResponse"
)
input_call, InputRequest = method(
    channel.stream_unary, "StreamingInputCall", "StreamingInputCallRequest", "StreamingInputCallResponse"
)
duplex_call, _ = method(
    channel.stream_stream, "FullDuplexCall", "StreamingOutputCallRequest", "StreamingOutputCallResponse"
)
missing_call, _ = method(channel.unary_unary, "UnimplementedCall", "Empty", "Empty")
Parameters, Status = message("ResponseParameters"), message("EchoStatus")


def code_of(call) -> str:
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def empty_unary() -> None:
    assert empty_call(Empty()) == Empty()


def large_unary() -> None:
    answer = unary_call(SimpleRequest(response_size=314159, payload=Payload(body=bytes(271828))))
    assert len(answer.payload.body) == 314159 and answer.username == "271828"


def client_streaming() -> None:
    requests = (InputRequest(payload=Payload(body=bytes(size))) for size in (27182, 8, 1828, 45904))
    assert input_call(requests).aggregated_payload_size == 74922


def server_streaming() -> None:
    sizes = (31415, 9, 2653, 58979)
    answers = output_call(OutputRequest(response_parameters=[Parameters(size=size) for size in sizes]))
    assert tuple(len(each.payload.body) for each in answers) == sizes


def ping_pong() -> None:
    sizes = (31415, 9, 2653)
    requests = (OutputRequest(response_parameters=[Parameters(size=size)]) for size in sizes)
    assert tuple(len(each.payload.body) for each in duplex_call(requests)) == sizes


def empty_stream() -> None:
    assert not list(duplex_call(iter(())))


def custom_metadata() -> None:
    sent = (("x-grpc-test-echo-initial", "initial"), ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab"))
    call = channel.unary_unary(
        f"{SERVICE}/UnaryCall", lambda each: each.SerializeToString(), message("SimpleResponse").FromString
    )
    _, details = call.with_call(SimpleRequest(response_size=1), metadata=sent, timeout=10)
    assert ("x-grpc-test-echo-initial", "initial") in details.initial_metadata()
    assert ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab") in details.trailing_metadata()


def status_code_and_message() -> None:
    try:
        unary_call(SimpleRequest(response_status=Status(code=2, message="\t\ntest ☺ 😈\t\n")))
        raise AssertionError("it did not fail")
    except grpc.RpcError as error:
        assert error.code().name == "UNKNOWN" and error.details() == "\t\ntest ☺ 😈\t\n"


def unimplemented_method() -> None:
    assert code_of(lambda: missing_call(Empty())) == "UNIMPLEMENTED"


def cancel_after_first_response() -> None:
    call = duplex_call(iter([OutputRequest(response_parameters=[Parameters(size=31415)], behavior="hang")]))
    next(call)
    call.cancel()
    assert code_of(lambda: next(call)) == "CANCELLED"


def timeout_on_sleeping_server() -> None:
    assert code_of(lambda: unary_call(SimpleRequest(behavior="hang"), timeout=0.1)) == "DEADLINE_EXCEEDED"


def gzip_unary() -> None:
    answer = unary_call(
        SimpleRequest(response_size=314159, payload=Payload(body=bytes(271828))), compression=grpc.Compression.Gzip
    )
    assert len(answer.payload.body) == 314159


for case in (
    empty_unary,
    large_unary,
    client_streaming,
    server_streaming,
    ping_pong,
    empty_stream,
    custom_metadata,
    status_code_and_message,
    unimplemented_method,
    cancel_after_first_response,
    timeout_on_sleeping_server,
    gzip_unary,
):
    case()
    print(case.__name__, flush=True)
