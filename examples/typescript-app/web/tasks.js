// The page: shows the list as the server tells of it, and sends what is typed and clicked.

const form = document.querySelector("#add");
const list = document.querySelector("#tasks");

async function send(method, url, content) {
  const body = content && JSON.stringify(content);
  const answer = await fetch(url, { method, body, headers: { "content-type": "application/json" } });
  const { errors = [] } = answer.status === 204 ? {} : await answer.json();
  form.querySelector("output").value = errors.join(", ");
  return answer.ok;
}

function item({ id, text, isDone, by }) {
  const element = document.createElement("li");
  element.className = isDone ? "done" : "";
  element.textContent = `${text} (${by})`;
  element.addEventListener("click", () => send("PATCH", `/api/tasks/${id}`, { isDone: !isDone }));
  return element;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await send("POST", "/api/tasks", { text: form.elements.text.value })) form.reset();
});

new EventSource("/api/events").addEventListener("tasks", ({ data }) => {
  list.replaceChildren(...JSON.parse(data).map(item));
});
