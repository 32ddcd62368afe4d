import type { StorySpan } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import { storyText, type WorkerStory } from "./story-text.ts";

const span = (spanId: string, parentId: string, name: string, from: number, to: number | null): StorySpan => ({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId,
  parentId,
  state: "",
  name,
  kind: "internal",
  startTime: 1_769_860_800_000 + from,
  endTime: to === null ? null : 1_769_860_800_000 + to,
  attributes: {},
  error: undefined,
});

const story: WorkerStory = {
  slot: 1,
  requestId: "r1",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  startTime: 1_769_860_800_000,
  duration: 12.5,
  isOver: true,
  attributes: {
    "http.request.method": "GET",
    "url.scheme": "https",
    "url.path": "/a",
    "server.address": "shop.example",
    "network.protocol.version": "2",
    "network.peer.address": "10.0.0.1",
    "network.peer.port": 5000,
    "client.address": "192.0.2.1",
    "hemi.component": "webapp.shop",
    "http.response.status_code": 200,
    "tls.protocol.version": "1.3",
    "tls.cipher": "TLS_AES_128_GCM_SHA256",
    "tls.resumed": true,
    "tls.client.server_name": "shop.example",
  },
  spans: [
    {
      ...span("c1", "b", "attempt", 2, 4),
      error: "HEMI_BACKEND_DIAL",
      attributes: { "server.address": "10.0.0.9:80" },
    },
    span("c2", "b", "attempt", 4, 10),
    span("b", "a", "webapp.shop/rule.1", 0.1, 12),
    span("a", "client", "GET webapp.shop", 0, 12.5),
  ],
};

test("a story says who asked and how, and what was done below what, with times", () => {
  expect(storyText(story)).toBe(`GET https://shop.example/a
request   r1, in worker 1, at 2026-01-31T12:00:00.000Z
trace     0af7651916cd43dd8448eb211c80319c
client    192.0.2.1; connection of 10.0.0.1 port 5000
protocol  HTTP/2 over TLS 1.3, TLS_AES_128_GCM_SHA256 for shop.example, resumed
component webapp.shop
status    200, after 12.50 ms

      from       for
      0.00     12.50  GET webapp.shop
      0.10     11.90    webapp.shop/rule.1
      2.00      2.00      attempt 10.0.0.9:80: HEMI_BACKEND_DIAL
      4.00      6.00      attempt
`);
});

test("the URL of a story has the port that the client named", () => {
  const attributes = { ...story.attributes, "server.port": 8443 };
  expect(storyText({ ...story, attributes })).toContain("GET https://shop.example:8443/a\n");
});

test("the story of a request that hangs has what is under way; or says that nothing was recorded", () => {
  const hanging = { ...story, isOver: false, spans: [span("b", "a", "webapp.shop/rule.1", 0, null)] };
  expect(storyText(hanging)).toMatch(/^ {6}0\.00 under way {2}webapp\.shop\/rule\.1$/m);
  expect(storyText({ ...hanging, spans: [], traceId: "" })).toContain("it is not sampled: its steps are not known\n");
  expect(storyText({ ...hanging, requestId: "\x1b[2J" })).not.toContain("\x1b");
});
