// google.api.HttpBody: content of any media type, in and out.

import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { RpcError } from "@hemi/common/rpc";
import { describedBundlet } from "@hemi/common/rpc-proto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveRpc, type RpcSite } from "../../testing/rpc/rpc-site.ts";
import { implement } from "../served-bundlet.ts";

/** A rule of google.api.http; `method`: the number of its field. */
function rule(method: number, path: string, body: string) {
  const bytes = new BinaryWriter().tag(method, WireType.LengthDelimited).string(path);
  if (body !== "") bytes.tag(7, WireType.LengthDelimited).string(body);
  const data = new BinaryWriter().bytes(bytes.finish()).finish();
  const options = create(MethodOptionsSchema);
  options.$unknown = [{ no: 72_295_728, wireType: WireType.LengthDelimited, data }];
  return options;
}

const field = (name: string, number: number, type: Type, typeName = "") => ({
  ...{
    name,
    number,
    type,
    typeName,
    label: Label.OPTIONAL,
    jsonName: name.replace(/_(.)/g, (_, c: string) => c.toUpperCase()),
  },
});

/** What protoc would make of a file with the service. */
function filesService(): DescService {
  const httpBody = create(FileDescriptorProtoSchema, {
    name: "google/api/httpbody.proto",
    package: "google.api",
    syntax: "proto3",
    messageType: [{ name: "HttpBody", field: [field("content_type", 1, Type.STRING), field("data", 2, Type.BYTES)] }],
  });
  const body = ".google.api.HttpBody";
  const method = (name: string, inputType: string, options: ReturnType<typeof rule>, serverStreaming = false) => ({
    ...{ name, inputType, outputType: body, options, serverStreaming },
  });
  const upload = ".test.Upload";
  const files = create(FileDescriptorProtoSchema, {
    name: "files.proto",
    package: "test",
    syntax: "proto3",
    dependency: ["google/api/httpbody.proto"],
    messageType: [{ name: "Upload", field: [field("name", 1, Type.STRING), field("file", 2, Type.MESSAGE, body)] }],
    service: [
      {
        name: "Files",
        method: [
          method("Turn", body, rule(4, "/turn", "*")),
          method("Store", upload, rule(3, "/files/{name}", "file")),
          method("Read", upload, rule(2, "/files/{name}", ""), true),
        ],
      },
    ],
  });
  const service = createFileRegistry(create(FileDescriptorSetSchema, { file: [httpBody, files] })).getService(
    "test.Files",
  );
  if (service === undefined) throw new Error("there is no service");
  return service;
}

interface Body {
  readonly contentType: string;
  readonly data: Uint8Array;
}

let site: RpcSite;
beforeAll(async () => {
  const served = implement(describedBundlet(filesService()), {
    turn: ({ contentType, data }: Body) => ({ contentType, data: data.toReversed() }),
    store: ({ name, file }: { readonly name: string; readonly file: Body }) => ({
      contentType: "text/plain",
      data: Buffer.from(`${name} ${file.contentType} ${file.data.length}`),
    }),
    async *read({ name }: { readonly name: string }) {
      if (name === "none") throw new RpcError("not_found", "there is no such file");
      yield { contentType: "image/png", data: Buffer.from("a") };
      yield { contentType: "", data: Buffer.from("b") };
      if (name === "broken") throw new RpcError("data_loss");
    },
  } as never);
  site = await serveRpc({ bundlets: [served] });
});
afterAll(() => site[Symbol.asyncDispose]());

async function ask(target: string, init?: RequestInit): Promise<string> {
  const response = await fetch(site.url + target, init);
  return `${response.status} ${response.headers.get("content-type")} ${await response.text()}`;
}

test("content of any media type is a message, and an answer has the media type that the procedure names", async () => {
  const body = Buffer.from([0, 1, 0xff, 0x61]);
  const response = await fetch(`${site.url}/turn`, { method: "POST", headers: { "content-type": "image/x" }, body });
  expect(response.headers.get("content-type")).toBe("image/x");
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from([0x61, 0xff, 1, 0]));
  expect(await ask("/turn", { method: "POST" })).toBe("200 application/octet-stream ");
});

test("content may be one field, beside the variables of the path", async () => {
  const put = { method: "PUT", headers: { "content-type": "text/csv" }, body: "1,2" };
  expect(await ask("/files/x", put)).toBe("200 text/plain x text/csv 3");
});

test("the pieces of a stream are one content, which breaks off where the procedure fails", async () => {
  expect(await ask("/files/x")).toBe("200 image/png ab");
  expect(await ask("/files/none")).toMatch(/^404 application\/json .*not_found/);
  await expect(ask("/files/broken")).rejects.toThrow();
});

test("content beyond the limit of the procedure is refused", async () => {
  const body = new Uint8Array(5 * 1024 * 1024);
  expect(await ask("/turn", { method: "POST", body })).toMatch(/^429 .*resource_exhausted/);
});
