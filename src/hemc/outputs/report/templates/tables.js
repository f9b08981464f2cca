"use strict";
// Tables sort by their headings and go to the clipboard as a spreadsheet takes them.
(() => {
  const text = cell => (cell ? cell.textContent.trim() : "");

  // The number that a cell begins with: "5.75 ± 0.37 %" is 5.75, "A-2" and "–" are none; a bound
  // such as "< 2.3 %" stands for no hit at all.
  const number = shown => {
    if (shown.startsWith("<")) return 0;
    const found = /^>?\s*([−+-]?[\d,]*\.?\d+(e-?\d+)?)/i.exec(shown);
    return found ? Number(found[1].replace("−", "-").replaceAll(",", "")) : null;
  };

  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (x !== null && y !== null) return x - y;
    if (x === null && y === null) return a.localeCompare(b);
    return x === null ? 1 : -1;
  };

  const sort = (table, heading, rows) => {
    const order = { none: "descending", descending: "ascending", ascending: "none" };
    const next = order[heading.ariaSort || "none"];
    const column = heading.cellIndex;
    for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
    heading.ariaSort = next === "none" ? null : next;
    const sorted = [...rows];
    const sign = next === "descending" ? -1 : 1;
    if (next !== "none") {
      sorted.sort((a, b) => sign * compare(text(a.cells[column]), text(b.cells[column])));
    }
    table.tBodies[0].append(...sorted);
  };

  const button = (label, name) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.className = name;
    return made;
  };

  const makeSortable = table => {
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 2 || table.querySelector("tr.group")) return;
    for (const heading of table.tHead.rows[0].cells) {
      if (!text(heading)) continue;
      const click = button(text(heading), "sort");
      click.title = "sort by this column";
      click.addEventListener("click", () => sort(table, heading, rows));
      heading.replaceChildren(click);
    }
  };

  const copy = async (table, click) => {
    const lines = [...table.rows].map(row =>
      [...row.cells].map(cell => text(cell).replaceAll("−", "-")).join("\t"));
    try {
      await navigator.clipboard.writeText(lines.join("\n"));
      click.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(table); // for Ctrl-C, where the browser forbids more
      click.textContent = "press Ctrl-C";
    }
    setTimeout(() => { click.textContent = "copy"; }, 2000);
  };

  for (const frame of document.querySelectorAll("main .scroll")) {
    const table = frame.querySelector("table");
    if (!table.classList.contains("heat")) makeSortable(table);
    const click = button("copy", "copy");
    click.title = "copy the table for a spreadsheet";
    click.addEventListener("click", () => copy(table, click));
    const caption = frame.parentElement.querySelector("figcaption");
    if (caption) caption.append(click);
    else frame.before(click);
  }
})();
