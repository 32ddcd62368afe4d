// Fills in what is running, and keeps it fresh while the page is looked at.
const fields = document.querySelectorAll("#status [data-field]");

async function refresh() {
  if (document.hidden) return;
  const response = await fetch("/status");
  const status = await response.json();
  for (const field of fields) field.textContent = `${status[field.dataset.field]}${field.dataset.unit ?? ""}`;
}

refresh();
setInterval(refresh, 2000);
