// Times are given in UTC. Each zone changes its clocks twice a year, Lord Howe by half an hour.

import { describe, expect, test } from "vitest";
import { parseSchedule } from "./schedule.ts";

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
