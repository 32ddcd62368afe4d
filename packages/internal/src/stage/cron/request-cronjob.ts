// requestCronjob: sends an HTTP request by a schedule.

import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { defineCronjob } from "../kinds/cronjob.ts";
import { checkCronProps, cronProps } from "./cron-props.ts";
import { managedCronjob, type ManagedCronjob } from "./managed-cronjob.ts";
import { ScheduledWork } from "./scheduled-work.ts";

/** Sends an HTTP request by a schedule. A response other than 2xx, and one that does not end in time, is a failure. */
export const requestCronjob = defineCronjob({
  sign: "requestCronjob",
  props: {
    ...cronProps,
    /** Where to: `https://shop.example/tasks/clean`. */
    url: prop.string({ required: true, pattern: { expression: /^https?:\/\/[^/]/, takes: "a URL of http or https" } }),
    /** The method. */
    method: prop.string({ default: "GET", pattern: { expression: /^[A-Z]{1,20}$/, takes: "a method such as POST" } }),
    /** The header fields, by name. */
    headers: prop.dict(prop.string(), { default: {} }),
    /** The content. Default: none. */
    content: prop.string(),
  },
  offers: [managedCronjob],
  check(context) {
    checkCronProps(context);
    const { props, report } = context;
    if (!URL.canParse(props.url)) report({ prop: "url", message: `${props.url} is no URL` });
    if (props.content !== undefined && (props.method === "GET" || props.method === "HEAD")) {
      report({ prop: "content", message: `a request with the method ${props.method} has no content` });
    }
    try {
      new Headers([...props.headers]);
    } catch (error) {
      report({ prop: "headers", message: error instanceof Error ? error.message : String(error) });
    }
  },
  create: (context): Part & ManagedCronjob =>
    new ScheduledWork(context, async (signal) => {
      const { url, method, headers, content } = context.props;
      const body = content === undefined ? {} : { body: content };
      // Another request than the configured one is not what its headers are meant for.
      const response = await fetch(url, { method, headers: [...headers], redirect: "manual", signal, ...body });
      await response.body?.cancel();
      if (response.ok) return;
      throw new HemiError("HEMI_BACKEND_BROKEN", `${method} ${url} was answered with ${response.status}`);
    }),
});
