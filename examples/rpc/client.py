"""A gRPC client in Python, without generated code: it asks the server for the descriptors, by reflection.

usage: python3 client.py HOST:PORT SKU    (Debian: python3-grpcio)
"""

import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def field(number: int, payload: bytes) -> bytes:
    """A field of protobuf whose value is shorter than 128 bytes."""
    return bytes([number << 3 | 2, len(payload)]) + payload


def length_delimited(data: bytes):
    """The fields of a message that have a length: pairs of number and bytes."""
    at = 0
    while at < len(data):
        number, kind = data[at] >> 3, data[at] & 7
        at += 1
        size, shift = 0, 0
        while True:
            size |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if data[at - 1] < 0x80:
                break
        if kind == 2:
            yield number, data[at : at + size]
            at += size


def messages_of(channel: grpc.Channel, symbol: str):
    """The classes of the messages in the file that declares a symbol."""
    ask = channel.stream_stream(REFLECTION)
    (answer,) = ask(iter([field(4, symbol.encode())]), timeout=5)
    pool = descriptor_pool.DescriptorPool()
    for number, response in length_delimited(answer):
        if number == 4:
            for _, file in length_delimited(response):
                pool.Add(descriptor_pb2.FileDescriptorProto.FromString(file))
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName(name))


def main(address: str, sku: str) -> None:
    with grpc.insecure_channel(address) as channel:
        message = messages_of(channel, "shop.v1.Stock")
        article, level, change, total = (message(f"shop.v1.{name}") for name in ("Article", "Level", "Change", "Total"))
        encode = lambda each: each.SerializeToString()

        find = channel.unary_unary("/shop.v1.Stock/Find", encode, level.FromString)
        watch = channel.unary_stream("/shop.v1.Stock/Watch", encode, level.FromString)
        load = channel.stream_unary("/shop.v1.Stock/Load", encode, total.FromString)

        print("find", find(article(sku=sku), timeout=5).count)
        levels = watch(article(sku=sku), timeout=5)
        print("watch", next(levels).count)
        print("load", load(iter([change(sku=sku, by=2), change(sku=sku, by=5)]), timeout=5).changes)
        while (count := next(levels).count) != find(article(sku=sku), timeout=5).count:
            pass
        print("watch", count)
        levels.cancel()
        try:
            find(article(sku="nothing"), timeout=5)
        except grpc.RpcError as error:
            print(error.code().name, error.details())


main(*sys.argv[1:])
