import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { AccessFeed, type AccessFilter } from "./access-feed.ts";
import { Operator } from "./operator.ts";

const facts = { path: "/assets/a.js", component: "webapp.shop/rule.assets/static", status: 404, totalTime: 20 };

test.each<[AccessFilter, boolean]>([
  [{}, true],
  [{ path: "/assets/" }, true],
  [{ path: "/img" }, false],
  [{ path: "webapp.shop" }, true],
  [{ path: "webapp.shop/rule.assets" }, true],
  [{ path: "webapp.sho" }, false],
  [{ status: "404" }, true],
  [{ status: "4xx" }, true],
  [{ status: "5xx" }, false],
  [{ slow: 20 }, true],
  [{ slow: 21 }, false],
  [{ path: "/assets/", status: "4xx", slow: 500 }, false],
])("of a filter %j: %s", (filter, isWanted) => {
  const feed = new AccessFeed();
  const lines: string[] = [];
  feed.follow(filter, (line) => lines.push(line));
  feed.offer(facts, () => "line");
  expect(lines).toEqual(isWanted ? ["line"] : []);
});

test("a line is made once, however many want it, and not at all if nobody does", () => {
  const feed = new AccessFeed();
  let made = 0;
  const offer = () => feed.offer(facts, () => `line ${++made}`);
  const lines: string[] = [];
  const take = (line: string) => lines.push(line);
  const ends = [feed.follow({}, take), feed.follow({ status: "4xx" }, take), feed.follow({ status: "200" }, take)];
  expect(feed.isFollowed).toBe(true);
  offer();
  expect(lines).toEqual(["line 1", "line 1"]);
  ends[0]?.();
  ends[1]?.();
  offer();
  expect(made).toBe(1);
  ends[2]?.();
  expect(feed.isFollowed).toBe(false);
});

test("a webapp without an access log has lines while somebody follows, without the secrets of its queries", async () => {
  const operator = new Operator();
  await using stage = await bootWith([]).bootText(
    `stage {
      webapp "shop" {
        .hostnames = ("*")
        rule "hello" $path == "/hello" { .returnText = "hello" }
        rule "quiet" $path == "/quiet" { .returnText = "" .logAccess = false }
      }
      httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }), operator },
  );
  await stage.start();
  await stage.inject({ url: "/hello" });
  const lines: unknown[] = [];
  const end = operator.accesses.follow({}, (line) => lines.push(JSON.parse(line)));
  for (const url of ["/hello?a=1", "/quiet", "/none"]) await stage.inject({ url, headers: { host: "shop.example" } });
  end();
  await stage.inject({ url: "/hello" });
  expect(lines).toMatchObject([
    {
      method: "GET",
      authority: "shop.example",
      uri: "/hello?a=1",
      component: "webapp.shop/rule.hello",
      status: 200,
      contentSent: 5,
    },
    { uri: "/none", status: 404, component: "webapp.shop", node: "", attempts: 0, nodeTime: null, traceId: "" },
  ]);
});
