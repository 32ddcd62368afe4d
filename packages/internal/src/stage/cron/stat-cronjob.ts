// statCronjob: writes the figures of the stage to the log, or pushes its metrics, by a schedule.

import { finishInSlices } from "@hemi/common";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { CountGroup } from "../../metrics/count-group.ts";
import { processGroup, requestGroup, serverGroup, webappGroup } from "../../metrics/groups.ts";
import type { CountReport } from "../../metrics/metrics.ts";
import { metricsFormats, prometheusTextSteps } from "../../metrics/prometheus-text.ts";
import { defineCronjob } from "../kinds/cronjob.ts";
import { checkCronProps, cronProps } from "./cron-props.ts";
import { managedCronjob, type ManagedCronjob } from "./managed-cronjob.ts";
import { ScheduledWork } from "./scheduled-work.ts";

/**
 * Writes a line with the figures of all workers to the error log, at the level `info`: requests since the last line, by
 * the class of their status, those under way, connections, bytes sent, memory. With `pushTo`, it sends the metrics
 * instead.
 */
export const statCronjob = defineCronjob({
  sign: "statCronjob",
  props: {
    ...cronProps,
    /**
     * A Pushgateway of Prometheus, with the job and further labels in its path:
     * `http://127.0.0.1:9091/metrics/job/shop`. The metrics replace those that were pushed before. Default: none.
     */
    pushTo: prop.string({ pattern: { expression: /^https?:\/\/[^/]/, takes: "a URL of http or https" } }),
  },
  offers: [managedCronjob],
  check: (context) => checkCronProps(context),
  create(context): Part & ManagedCronjob {
    const { props, log, workers, metrics } = context;
    let before: Figures | undefined;
    return new ScheduledWork(context, async (signal) => {
      const report = await workers.sumCounts(metrics);
      if (props.pushTo !== undefined) return await push(props.pushTo, report, signal);
      const figures = figuresOf(report);
      log.info("figures", differences(figures, before));
      before = figures;
    });
  },
});

async function push(url: string, report: CountReport, signal: AbortSignal): Promise<void> {
  const body = await finishInSlices(prometheusTextSteps(report, "prometheus"));
  const headers = { "content-type": metricsFormats.prometheus };
  const response = await fetch(url, { method: "PUT", headers, body, redirect: "manual", signal });
  await response.body?.cancel();
  if (!response.ok) throw new HemiError("HEMI_BACKEND_BROKEN", `PUT ${url} was answered with ${response.status}`);
}

/** Counters rise, and the line has their differences; the others are as of now. */
interface Figures {
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
}

function figuresOf(report: CountReport): Figures {
  const request = (name: keyof typeof requestGroup.at): number => sumOf(report, requestGroup, name);
  return {
    counters: {
      "2xx": request("status2xx"),
      "3xx": request("status3xx"),
      "4xx": request("status4xx"),
      "5xx": request("status5xx"),
      aborted: request("aborted"),
      sent: request("sent"),
      conns: sumOf(report, serverGroup, "accepted"),
      cpuSeconds: Math.round(sumOf(report, processGroup, "cpu") * 1000) / 1000,
    },
    gauges: {
      underWay: sumOf(report, webappGroup, "underWay"),
      openConns: sumOf(report, serverGroup, "open"),
      resident: sumOf(report, processGroup, "resident"),
    },
  };
}

function sumOf<Name extends string>(report: CountReport, { name, at }: CountGroup<Name>, series: Name): number {
  return report.reduce((sum, { group, values }) => (group === name ? sum + (values[at[series]] ?? 0) : sum), 0);
}

/** Of the first line: since the program was started. */
function differences({ counters, gauges }: Figures, before: Figures | undefined): Readonly<Record<string, number>> {
  const rise = ([name, value]: readonly [string, number]): readonly [string, number] => [
    name,
    Math.round((value - (before?.counters[name] ?? 0)) * 1000) / 1000,
  ];
  return { ...Object.fromEntries(Object.entries(counters).map(rise)), ...gauges };
}
