import { afterEach, expect, test, vi } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { localTime } from "./local-time.ts";

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  [new Date(2026, 10, 29, 0, 0), "Sun 00:00"],
  [new Date(2026, 10, 29, 23, 59, 59, 999), "Sun 23:59"],
  [new Date(2026, 10, 30, 9, 5), "Mon 09:05"],
])("%s is %s", (date, text) => {
  expect(localTime(date.getTime())).toBe(text);
});

test("a rule is for some hours of some days", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const log = openErrorLog({ sink: new MemorySink() });
  await using stage = await bootWith([]).bootText(
    `stage {
      webapp "a" {
        .hostnames = ("*")
        rule "office hours" $localTime ~= "^(?:Mon|Tue|Wed|Thu|Fri) (?:09|1[0-6]):" { .returnText = "open" }
        rule { .returnText = "closed" }
      }
      httpxServer "main" { .address = "127.0.0.1:0" }
    }`,
    { log },
  );
  await stage.start();
  const answers: string[] = [];
  for (const date of [new Date(2026, 10, 30, 9, 0), new Date(2026, 10, 30, 17, 0), new Date(2026, 10, 29, 12, 0)]) {
    vi.setSystemTime(date);
    answers.push((await stage.inject({ url: "/" })).text);
  }
  expect(answers).toEqual(["open", "closed", "closed"]);
});
