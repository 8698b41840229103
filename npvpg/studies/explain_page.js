"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const times = (matrix, x) => matrix.map((row) => dot(row, x));
const last = data.blocks.length - 1; // all of theta

// npvpg.lab.reweighting.Reweighting.at
function at(weight) {
  const delta = weight.map((x, i) => x - data.weight[i]);
  const moved = data.gram.map((gram) => times(gram, delta));
  const inner = data.squared.map((x, b) => x + dot(data.along[b], delta));
  const squared = inner.map((x, b) => x + dot(data.along[b], delta) + dot(moved[b], delta));
  const entropy = times(data.entropy_gram, delta);
  const share = weight.map((x, i) => {
    const pull = x * (data.along[last][i] + moved[last][i]);
    return (pull + data.entropy_along[i] + entropy[i]) / squared[last];
  });
  return { squared, inner, share };
}

const number = (x) => {
  if (!Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? x.toExponential(2) : x.toPrecision(4);
  return text.replace("-", "−");
};
const percent = (x) =>
  Number.isFinite(x) ? (x < 0 ? "−" : "+") + Math.abs(100 * x).toFixed(2) + "%" : "–";
const rows = (id) => [...document.querySelectorAll(`#${id} tbody tr`)];
const put = (row, name, x, form) => {
  const cell = row.querySelector(`[data-of="${name}"]`);
  cell.value = String(x);
  cell.textContent = form(x);
};
const fields = rows("steps").map((row) => ({
  typed: row.querySelector("[type=number]"),
  slid: row.querySelector("[type=range]"),
}));
const length = (x) => Math.sqrt(Math.max(x, 0));

function show() {
  const weight = fields.map(({ typed }, i) =>
    typed.value === "" ? data.weight[i] : Number(typed.value),
  );
  const found = at(weight);
  const longest = length(Math.max(...data.squared, ...found.squared));
  rows("blocks").forEach((row, b) => {
    const before = length(data.squared[b]);
    const after = length(found.squared[b]);
    put(row, "before", before, number);
    put(row, "after", after, number);
    put(row, "cosine", found.inner[b] / (before * after), (x) => number(x));
    row.querySelector(".was").style.width = `${(100 * before) / longest}%`;
    row.querySelector(".is").style.width = `${(100 * after) / longest}%`;
  });
  rows("steps").forEach((row, i) => {
    put(row, "share", found.share[i], percent);
    row.classList.toggle("changed", weight[i] !== data.weight[i]);
  });
  const changed = weight.filter((x, i) => x !== data.weight[i]).length;
  document.getElementById("told").textContent =
    changed === 0
      ? "The gradient as it was."
      : `${changed} ${changed === 1 ? "weight" : "weights"} changed: length ` +
        `${number(length(data.squared[last]))} → ${number(length(found.squared[last]))}, cosine ` +
        `${number(found.inner[last] / length(data.squared[last] * found.squared[last]))}.`;
}

function set(i, x) {
  fields[i].typed.value = String(x);
  fields[i].slid.value = String(x);
}

fields.forEach(({ typed, slid }, i) => {
  set(i, data.weight[i]);
  typed.addEventListener("input", () => {
    slid.value = typed.value === "" ? String(data.weight[i]) : typed.value;
    show();
  });
  slid.addEventListener("input", () => {
    typed.value = slid.value;
    show();
  });
});
document.getElementById("reset").addEventListener("click", () => {
  data.weight.forEach((x, i) => set(i, x));
  show();
});
document.getElementById("leave").addEventListener("click", () => {
  data.weight.forEach((_, i) => set(i, 0));
  show();
});
document.getElementById("turn").addEventListener("click", () => {
  data.weight.forEach((x, i) => set(i, -x));
  show();
});
show();
