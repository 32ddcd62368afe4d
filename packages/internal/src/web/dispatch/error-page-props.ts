// What webapps and rules say of the pages for errors.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { examineFile } from "../../component/examine-files.ts";
import { errorStatus } from "../response/error-pages.ts";

/** For a prop that names a path of the webapp. */
const encodedPath = { expression: /^\/[!"$-~]*$/, takes: "an encoded path of this webapp, such as /errors/404" };

/** A rule inherits them from its webapp, and replaces them by its own. */
export const errorPageProps = {
  /**
   * Files for error pages of the engine, by status or class of statuses: `["502": %baseDir + "/web/502.html", "4xx":
   * %baseDir + "/web/error.html"]`. They are sent for errors such as an unreachable backend, for refusals of checkers,
   * for `returnCode`, and, those of a webapp, if no rule takes the request. Status and fields such as
   * `www-authenticate` are kept. Responses of handlets, apps and backends are not replaced, unless `interceptErrors` is
   * set. If a file cannot be sent, a line of text is.
   */
  errorPages: prop.dict(prop.path(), { default: {}, inherited: true, reload: "live" }),
  /**
   * The same with paths of this webapp: `["404": "/index.php?error=404"]`. The path is requested by GET, as by the
   * client, with a `$depth` of 1; `$originalURI` is what the client has requested. If it fails or redirects, a line of
   * text is sent.
   */
  errorPaths: prop.dict(prop.string({ pattern: encodedPath }), { default: {}, inherited: true, reload: "live" }),
};

type ErrorPageProps = PropsOf<typeof errorPageProps>;

/** Reports keys that are no errors, and those that are in both dicts. */
export function checkErrorPages(context: CheckContext<ErrorPageProps>): void {
  const { props } = context;
  for (const prop of ["errorPages", "errorPaths"] as const) {
    for (const status of props[prop].keys()) {
      if (errorStatus.test(status)) continue;
      const known = "those are from 400 to 599, and the classes 4xx and 5xx";
      const message = `${JSON.stringify(status)} is no status of an error: ${known}`;
      context.report({ prop, message });
    }
  }
  for (const status of props.errorPages.keys()) {
    if (!props.errorPaths.has(status)) continue;
    context.report({ prop: "errorPaths", message: `${JSON.stringify(status)} has a file in errorPages, too` });
  }
}

/** For `examine`: rejects if a file is not there. Most of thousands of rules have none. */
export function examineErrorPages({ errorPages }: ErrorPageProps): void | Promise<void> {
  if (errorPages.size > 0) return examineAll(errorPages);
}

async function examineAll(errorPages: ErrorPageProps["errorPages"]): Promise<void> {
  for (const [status, file] of errorPages) await examineFile("errorPages", `the page for ${status},`, file);
}
