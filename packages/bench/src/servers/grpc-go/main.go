// The peer for RPC that is no JavaScript: a server of grpc-go, on one core.
package main

import (
	"context"
	"io"
	"log"
	"net"
	"os"
	"runtime"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"
	"hemi.example/bench/benchpb"
)

// Debian's grpc-go encodes by the first version of the protobuf module, and its protoc-gen-go generates for the second.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(message interface{}) ([]byte, error) {
	return proto.Marshal(message.(proto.Message))
}

func (codec) Unmarshal(bytes []byte, message interface{}) error {
	return proto.Unmarshal(bytes, message.(proto.Message))
}

type bench struct {
	benchpb.UnimplementedBenchServer
}

func (bench) Echo(_ context.Context, message *benchpb.Message) (*benchpb.Message, error) {
	return &benchpb.Message{Body: message.Body}, nil
}

func (bench) Repeat(message *benchpb.Message, stream benchpb.Bench_RepeatServer) error {
	for i := int32(0); i < message.Count; i++ {
		if err := stream.Send(&benchpb.Message{Body: message.Body}); err != nil {
			return err
		}
	}
	return nil
}

func (bench) Upload(stream benchpb.Bench_UploadServer) error {
	var count int32
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&benchpb.Message{Count: count})
		}
		if err != nil {
			return err
		}
		count += int32(len(message.Body))
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	encoding.RegisterCodec(codec{})
	server := grpc.NewServer()
	benchpb.RegisterBenchServer(server, bench{})
	log.Fatal(server.Serve(listener))
}
