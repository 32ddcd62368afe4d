// The API: maps requests to operations on the list.

import { Mapper, type Request, type Response } from "@hemi/hemi";
import { readObject, readTask } from "./task-input.ts";
import type { TaskList } from "./task-list.ts";

/** Less than `handleTimeout`, after which a response without new data is aborted. */
const heartbeat = 20_000;

export function routes(list: TaskList): Mapper {
  return new Mapper({ otherwise: 404 })
    .get("/api/tasks", () => list.all)
    .post("/api/tasks", async (req, resp) => {
      const input = readTask(await readObject(req));
      if ("errors" in input) return refuse(resp, 422, ...input.errors);
      if (input.task.text === undefined) return refuse(resp, 422, '"text" is missing');
      const task = list.add(input.task.text, nameOf(req));
      if (task === undefined) return refuse(resp, 409, "there are too many tasks: do some of them first");
      resp.status = 201;
      resp.setHeader("location", `/api/tasks/${task.id}`);
      return task;
    })
    .get("/api/tasks/:id(\\d+)", (_req, resp, { id }) => list.find(Number(id)) ?? refuse(resp, 404, "no such task"))
    .patch("/api/tasks/:id(\\d+)", async (req, resp, { id }) => {
      const input = readTask(await readObject(req));
      if ("errors" in input) return refuse(resp, 422, ...input.errors);
      const task = list.find(Number(id));
      return task === undefined ? refuse(resp, 404, "no such task") : list.change(task, input.task);
    })
    .delete("/api/tasks/:id(\\d+)", (_req, resp, { id }) => {
      if (!list.remove(Number(id))) return refuse(resp, 404, "no such task");
      resp.status = 204;
      return resp.send();
    })
    .get("/api/me", (req) => ({ name: nameOf(req) }))
    .put("/api/me", async (req, resp) => {
      const { name } = await readObject(req);
      if (typeof name !== "string" || !/^[\p{L}\p{N} ]{1,40}$/u.test(name)) {
        return refuse(resp, 422, '"name" is 1 to 40 letters, digits and spaces');
      }
      resp.setCookie("name", name, { maxAge: 365 * 24 * 60 * 60, httpOnly: true, sameSite: "lax" });
      return { name };
    })
    .get("/api/events", async (req, resp) => {
      resp.setHeader("content-type", "text/event-stream");
      resp.setHeader("cache-control", "no-store");
      // Each piece is awaited: a slow client makes us wait, so that no data accumulates.
      for await (const tasks of list.follow(heartbeat, req.signal)) {
        await resp.echo(`event: tasks\ndata: ${JSON.stringify(tasks)}\n\n`);
      }
      resp.end();
    });
}

function nameOf(req: Request): string {
  return req.cookie("name") ?? "somebody";
}

/** The return value of a mapped function for a request that it refuses. */
function refuse(resp: Response, status: number, ...errors: readonly string[]): { readonly errors: readonly string[] } {
  resp.status = status;
  return { errors };
}
