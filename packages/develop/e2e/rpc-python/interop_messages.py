"""The messages of interop.proto, from a file of descriptors (google.protobuf.FileDescriptorSet)."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def load(path: str):
    """A function from the short name of a message to its class."""
    pool = descriptor_pool.DescriptorPool()
    with open(path, "rb") as file:
        for each in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
            pool.Add(each)
    factory = message_factory.MessageFactory(pool)
    get = getattr(message_factory, "GetMessageClass", None) or factory.GetPrototype
    return lambda name: get(pool.FindMessageTypeByName(f"hemi.test.v1.{name}"))
