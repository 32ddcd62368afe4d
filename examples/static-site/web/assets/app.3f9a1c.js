// A single-page app without a framework: the path says what is shown.

const view = document.getElementById("view");

const pages = {
  "/": async () => [heading("A static site"), paragraph("One page for all paths; the server knows only files.")],
  "/downloads": async () => {
    // The same address as in a browser's address bar; `accept` asks for the other form of it.
    const answer = await fetch("/files/", { headers: { accept: "application/json" } });
    const { entries } = await answer.json();
    const list = document.createElement("ul");
    for (const { name, type, size } of entries) {
      const link = document.createElement("a");
      link.href = `/files/${encodeURIComponent(name)}${type === "directory" ? "/" : ""}`;
      link.textContent = name;
      const item = document.createElement("li");
      item.append(link, type === "file" ? `, ${size} bytes` : ", a folder");
      list.append(item);
    }
    return [heading("Downloads"), list];
  },
};

async function show() {
  const page = pages[location.pathname];
  const content = page ? await page() : [heading("Elsewhere"), paragraph(`You are at ${location.pathname}.`)];
  view.replaceChildren(...content);
}

function heading(text) {
  return element("h1", text);
}

function paragraph(text) {
  return element("p", text);
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

// Links within the app change the path, and load nothing.
document.addEventListener("click", (event) => {
  const link = event.target.closest("nav a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  void show();
});
addEventListener("popstate", () => void show());
void show();
