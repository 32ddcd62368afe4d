import { describe, expect, test } from "vitest";
import { parseSchedule } from "./schedule.ts";

function times(text: string, zone: string, from: string, count: number): readonly string[] {
  const schedule = parseSchedule(text, zone);
  const found: string[] = [];
  for (let at = Date.parse(from); found.length < count;) {
    at = schedule.next(at) ?? expect.fail("there is no time any more");
    found.push(new Date(at).toISOString().slice(0, 19));
  }
  return found;
}

describe("a schedule", () => {
  test.each([
    ["0 3 * * *", ["2027-01-01T03:00:00", "2027-01-02T03:00:00"]],
    ["*/20 * * * * *", ["2027-01-01T00:00:20", "2027-01-01T00:00:40"]],
    ["@daily", ["2027-01-02T00:00:00", "2027-01-03T00:00:00"]],
    ["@hourly", ["2027-01-01T01:00:00", "2027-01-01T02:00:00"]],
    ["every 90s", ["2027-01-01T00:01:30", "2027-01-01T00:03:00"]],
    ["every 2h", ["2027-01-01T02:00:00", "2027-01-01T04:00:00"]],
  ])("%s has its times", (text, expected) => {
    expect(times(text, "UTC", "2027-01-01T00:00:00Z", 2)).toEqual(expected);
  });

  // The clock goes from 2 to 3 in spring, and from 3 to 2 in autumn, each in its own way.
  test.each([
    ["Europe/Berlin", "30 2 * * *", "2027-03-27T12:00:00Z", ["2027-03-28T01:00:00", "2027-03-29T00:30:00"]],
    ["Europe/Berlin", "30 2 * * *", "2027-10-30T12:00:00Z", ["2027-10-31T00:30:00", "2027-11-01T01:30:00"]],
    ["America/New_York", "30 2 * * *", "2027-03-13T12:00:00Z", ["2027-03-14T07:00:00", "2027-03-15T06:30:00"]],
    ["America/New_York", "30 1 * * *", "2027-11-06T12:00:00Z", ["2027-11-07T05:30:00", "2027-11-08T06:30:00"]],
    ["Australia/Sydney", "30 2 * * *", "2027-10-02T12:00:00Z", ["2027-10-02T16:00:00", "2027-10-03T15:30:00"]],
    ["Australia/Sydney", "30 2 * * *", "2027-04-03T12:00:00Z", ["2027-04-03T15:30:00", "2027-04-04T16:30:00"]],
  ])("in %s runs once on each day, also when the clock is changed: %s", (zone, text, from, expected) => {
    expect(times(text, zone, from, 2)).toEqual(expected);
  });

  test.each([
    ["", "UTC"],
    ["soon", "UTC"],
    ["61 * * * *", "UTC"],
    ["every 0s", "UTC"],
    ["every 500ms", "UTC"],
    ["@daily", "Europe/Atlantis"],
  ])("%j in %s is refused", (text, zone) => {
    expect(() => parseSchedule(text, zone)).toThrow(/is no cron expression|at least every 1s/);
  });
});
