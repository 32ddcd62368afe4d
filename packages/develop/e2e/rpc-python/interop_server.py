"""A gRPC server with the test service of interop.proto. Prints its port.

usage: python3 interop_server.py DESCRIPTORS    (Debian: python3-grpcio)
"""

import sys
import time
from concurrent import futures

import grpc
from interop_messages import load

message = load(sys.argv[1])
Empty, SimpleRequest, SimpleResponse = message("Empty"), message("SimpleRequest"), message("SimpleResponse")
InputRequest, InputResponse = message("StreamingInputCallRequest"), message("StreamingInputCallResponse")
OutputRequest, OutputResponse = message("StreamingOutputCallRequest"), message("StreamingOutputCallResponse")
Payload = message("Payload")


def fail_if_asked(request, context) -> None:
    if request.response_status.code:
        context.abort(list(grpc.StatusCode)[request.response_status.code], request.response_status.message)


def echo_metadata(context) -> None:
    for name, value in context.invocation_metadata():
        if name == "x-grpc-test-echo-initial":
            context.send_initial_metadata(((name, value),))
        if name == "x-grpc-test-echo-trailing-bin":
            context.set_trailing_metadata(((name, value),))


def unary_call(request, context):
    echo_metadata(context)
    fail_if_asked(request, context)
    if request.behavior == "hang":
        while context.is_active():
            time.sleep(0.01)
    body = bytes(request.response_size)
    return SimpleResponse(payload=Payload(body=body), username=str(len(request.payload.body)))


def outputs(request, context):
    fail_if_asked(request, context)
    for parameters in request.response_parameters:
        yield OutputResponse(payload=Payload(body=bytes(parameters.size)))


def streaming_input_call(requests, _context):
    return InputResponse(aggregated_payload_size=sum(len(each.payload.body) for each in requests))


def full_duplex_call(requests, context):
    echo_metadata(context)
    for request in requests:
        yield from outputs(request, context)


def handler(make, function, request, response):
    return make(function, request.FromString, lambda each: each.SerializeToString())


handlers = {
    "EmptyCall": handler(grpc.unary_unary_rpc_method_handler, lambda _request, _context: Empty(), Empty, Empty),
    "UnaryCall": handler(grpc.unary_unary_rpc_method_handler, unary_call, SimpleRequest, SimpleResponse),
    "StreamingOutputCall": handler(grpc.unary_stream_rpc_method_handler, outputs, OutputRequest, OutputResponse),
    "StreamingInputCall": handler(grpc.stream_unary_rpc_method_handler, streaming_input_call, InputRequest, InputResponse),
    "FullDuplexCall": handler(grpc.stream_stream_rpc_method_handler, full_duplex_call, OutputRequest, OutputResponse),
}
server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("hemi.test.v1.TestService", handlers),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
# The test ends the process by closing its standard input.
sys.stdin.read()
server.stop(None)
