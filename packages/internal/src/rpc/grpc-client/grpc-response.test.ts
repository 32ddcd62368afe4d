import { expect, test } from "vitest";
import { ListedFields } from "../../http/fields.ts";
import { GrpcResponse } from "./grpc-response.ts";

test("a server that sends thousands of empty messages waits for their reader", async () => {
  const response = new GrpcResponse(1000);
  let resumed = 0;
  response.resume = () => resumed++;
  const fields = new ListedFields(["content-type", "application/grpc"]);
  response.answered({ status: 200, fields, contentSize: undefined, fieldList: () => [] }, undefined);
  const empty = 5;
  const isOpen: boolean[] = [];
  for (let i = 0; i < 5; i++) isOpen.push(response.content(Buffer.alloc(1000 * empty)));
  expect(isOpen).toEqual([true, true, true, false, false]);
  response.ended(new ListedFields(["grpc-status", "0"]));
  const resumedAt: number[] = [];
  let read = 0;
  for (; (await response.next()) !== undefined; read++) if (resumed > resumedAt.length) resumedAt.push(read);
  expect([read, resumedAt]).toEqual([5000, [4999]]);
});
