// Times are given in UTC. Each zone changes its clocks twice a year, Lord Howe by half an hour.

import { describe, expect, test } from "vitest";
import { lastTimeBetween, parseSchedule } from "./schedule.ts";

function timesOf(schedule: string, zone: string | undefined, after: string, count: number): readonly string[] {
  const { next } = parseSchedule(schedule, zone);
  const times: string[] = [];
  for (let time = next(Date.parse(after)); time !== undefined && times.length < count; time = next(time)) {
    times.push(new Date(time).toISOString().slice(0, 16));
  }
  return times;
}

test.each([
  ["0 3 * * *", ["2027-01-01T03:00", "2027-01-02T03:00"]],
  ["@daily", ["2027-01-02T00:00", "2027-01-03T00:00"]],
  ["@hourly", ["2027-01-01T01:00", "2027-01-01T02:00"]],
  ["every 90s", ["2027-01-01T00:01", "2027-01-01T00:03"]],
  ["every 2h", ["2027-01-01T02:00", "2027-01-01T04:00"]],
])("%s has its times", (text, times) => {
  expect(timesOf(text, "UTC", "2027-01-01T00:00:00Z", 2)).toEqual(times);
});

describe("at the change to summer time", () => {
  test.each([
    ["Europe/Berlin", "30 2 * * *", ["2027-03-27T01:30", "2027-03-28T01:00", "2027-03-29T00:30"]],
    ["America/New_York", "30 2 * * *", ["2027-03-13T07:30", "2027-03-14T07:00", "2027-03-15T06:30"]],
    ["Australia/Sydney", "30 2 * * *", ["2027-10-01T16:30", "2027-10-02T16:00", "2027-10-03T15:30"]],
    ["Australia/Lord_Howe", "15 2 * * *", ["2027-10-01T15:45", "2027-10-02T15:30", "2027-10-03T15:15"]],
  ])("in %s, the run of a time that does not exist takes place once, when the gap ends", (zone, schedule, times) => {
    const [first = ""] = times;
    expect(timesOf(schedule, zone, new Date(Date.parse(`${first}Z`) - 3_600_000).toISOString(), 3)).toEqual(times);
  });
});

describe("at the change to winter time", () => {
  test.each([
    ["Europe/Berlin", "30 2 * * *", ["2027-10-30T00:30", "2027-10-31T00:30", "2027-11-01T01:30"]],
    ["America/New_York", "30 1 * * *", ["2027-11-06T05:30", "2027-11-07T05:30", "2027-11-08T06:30"]],
    ["Australia/Sydney", "30 2 * * *", ["2027-04-02T15:30", "2027-04-03T15:30", "2027-04-04T16:30"]],
    ["Australia/Lord_Howe", "45 1 * * *", ["2027-04-02T14:45", "2027-04-03T14:45", "2027-04-04T15:15"]],
  ])("in %s, the run of a time that exists twice takes place once, at the first of them", (zone, schedule, times) => {
    const [first = ""] = times;
    expect(timesOf(schedule, zone, new Date(Date.parse(`${first}Z`) - 3_600_000).toISOString(), 3)).toEqual(times);
  });
});

test.each([
  ["Europe/Berlin", "2027-03-28T00:10:00Z", ["00:20", "00:40", "01:00", "01:20"]],
  ["Europe/Berlin", "2027-10-31T00:10:00Z", ["00:20", "00:40", "01:00", "01:20"]],
  ["America/New_York", "2027-11-07T05:30:00Z", ["05:40", "06:00", "06:20", "06:40"]],
])("in %s, what runs every 20 minutes goes on evenly over the change after %s", (zone, after, times) => {
  expect(timesOf("*/20 * * * *", zone, after, 4).map((time) => time.slice(11))).toEqual(times);
});

test("every 36h counts from the epoch, so that all machines run at the same times, and knows no local time", () => {
  expect(timesOf("every 36h", "Europe/Berlin", "2027-03-26T00:00:00Z", 3)).toEqual([
    "2027-03-27T00:00",
    "2027-03-28T12:00",
    "2027-03-30T00:00",
  ]);
});

test("seconds and a day that comes only in leap years", () => {
  expect(timesOf("*/30 * * * * *", "UTC", "2027-01-01T00:00:00Z", 2)).toEqual(["2027-01-01T00:00", "2027-01-01T00:01"]);
  expect(timesOf("0 0 29 2 *", "UTC", "2027-01-01T00:00:00Z", 2)).toEqual(["2028-02-29T00:00", "2032-02-29T00:00"]);
  expect(timesOf("0 0 30 2 *", "UTC", "2027-01-01T00:00:00Z", 1)).toEqual([]);
});

test.each([
  ["", undefined],
  ["soon", undefined],
  ["every 500ms", undefined],
  ["0 3 * *", undefined],
  ["every 0s", undefined],
  ["every 90", undefined],
  ["@sometimes", undefined],
  ["@daily", "Europe/Berlim"],
  ["61 * * * *", undefined],
])("%s in the zone %s is refused", (schedule, zone) => {
  expect(() => parseSchedule(schedule, zone)).toThrow(/is no cron expression|at least every/);
});

test.each([
  ["Europe/Berlin", "0,30 2 * * *", "2027-03-28T00:00:00Z", ["2027-03-29T00:00", "2027-03-29T00:30"]],
  ["Europe/Berlin", "30 2,5 * * *", "2027-03-28T00:00:00Z", ["2027-03-28T03:30", "2027-03-29T00:30"]],
  ["America/New_York", "0,30 2 * * *", "2027-03-14T06:00:00Z", ["2027-03-15T06:00", "2027-03-15T06:30"]],
  ["Australia/Sydney", "0,30 2 * * *", "2027-10-02T15:00:00Z", ["2027-10-03T15:00", "2027-10-03T15:30"]],
  ["Europe/Berlin", "30 2,5 * * *", "2027-10-31T00:00:00Z", ["2027-10-31T00:30", "2027-10-31T01:30"]],
  ["America/New_York", "30 1,5 * * *", "2027-11-07T05:00:00Z", ["2027-11-07T05:30", "2027-11-07T06:30"]],
  ["Australia/Sydney", "30 2,5 * * *", "2027-04-03T15:00:00Z", ["2027-04-03T15:30", "2027-04-03T16:30"]],
])("in %s, of several times in %s those that do not exist are left out, and others come twice", (...given) => {
  const [zone, schedule, after, times] = given;
  expect(timesOf(schedule, zone, after, 2)).toEqual(times);
});

test.each([
  ["* * * * * *", "Europe/Berlin"],
  ["30 2 * * *", "Europe/Berlin"],
  ["15 2 * * *", "Australia/Lord_Howe"],
  ["0 0 29 2 *", "UTC"],
  ["every 7s", undefined],
  ["*/20 30 2 * * *", "Europe/Berlin"],
])("the last time of %s in a stretch is found by few steps, in whatever stretch", (text, zone) => {
  const schedule = parseSchedule(text, zone);
  let steps = 0;
  const counted = { next: (after: number) => (steps++, schedule.next(after)) };
  // Both change their clocks within this year, and a day with a change is looked at closely.
  const [begin, end] = [Date.parse("2027-01-01T00:00:00Z"), Date.parse("2027-11-20T11:22:33Z")];
  const found = lastTimeBetween(counted, begin, end);
  expect(steps).toBeLessThan(70);
  if (found === undefined) return expect(schedule.next(begin)).toBeGreaterThan(end);
  expect(found).toBeLessThanOrEqual(end);
  expect(schedule.next(found)).toBeGreaterThan(end);
  for (const day of ["2027-03-28", "2027-04-03", "2027-10-02", "2027-10-31"]) {
    const to = Date.parse(`${day}T23:59:59.500Z`);
    const last = lastTimeBetween(schedule, to - 86_400_000, to) ?? to - 86_400_000;
    expect(last).toBeLessThanOrEqual(to);
    expect(schedule.next(last)).toBeGreaterThan(to);
  }
});

test("a stretch without any time has no last one", () => {
  const hour = Date.parse("2027-01-01T00:00:00Z");
  expect(lastTimeBetween(parseSchedule("0 3 * * *", "UTC"), hour, hour + 60_000)).toBe(undefined);
  expect(lastTimeBetween(parseSchedule("0 1 * * *", "UTC"), hour, hour + 3_600_000)).toBe(hour + 3_600_000);
  expect(lastTimeBetween(parseSchedule("0 0 * * *", "UTC"), hour, hour + 3_600_000)).toBe(undefined);
});
