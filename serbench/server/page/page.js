"use strict";
// Records or takes a file, asks the server, and draws. Nothing is kept, and nothing but this server is asked.
const $ = (id) => document.getElementById(id);
const token = new URLSearchParams(location.search).get("token");
const withToken = (path) => (token ? `${path}${path.includes("?") ? "&" : "?"}token=${encodeURIComponent(token)}` : path);
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f7f7f", "#6a3d9a"];
const LONGEST = 60;
let recording = null;

function say(text) { $("status").textContent = text; }
function complain(text) { $("problem").textContent = text; }
function percent(value) { return `${Math.round(100 * value)} %`; }

async function describe() {
  try {
    const answer = await fetch(withToken("model"));
    if (answer.status === 401) return complain("This server asks for a token: open the address that it printed.");
    const model = await answer.json();
    const sheet = model.sheet;
    const corpora = sheet ? sheet.corpora.map((c) => `${c.name} (${[c.elicitation, c.language].filter(Boolean).join(" ")})`).join(", ") : "";
    $("model").textContent = sheet
      ? `Model ${model.name}: ${sheet.title}, trained on ${corpora}. On people it has not heard it finds ${percent(sheet.uar.value)} of each emotion on average.`
      : `Model ${model.name}, without an error sheet.`;
    $("sheet").href = withToken("model");
  } catch (error) { complain(`The server does not answer: ${error.message}`); }
}

async function record() {
  complain("");
  if (!navigator.mediaDevices) return complain("No microphone here: browsers give it to https pages and to this machine (localhost) alone.");
  let stream;
  try {
    // The browser's own clean-up would change what the model hears.
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
  } catch (error) {
    const reasons = {
      NotAllowedError: "No permission to use the microphone: allow it in the browser, or choose a file.",
      NotFoundError: "No microphone was found: connect one, or choose a file.",
      NotReadableError: "The microphone is in use by another program, or broken.",
    };
    return complain(reasons[error.name] || `The microphone cannot be used: ${error.message}`);
  }
  const context = new AudioContext();
  await context.audioWorklet.addModule("recorder.js");
  const source = context.createMediaStreamSource(stream);
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  const blocks = [];
  recording = { stream, context, blocks, socket: listen(context.sampleRate), timer: setTimeout(stop, 1000 * LONGEST) };
  node.port.onmessage = ({ data }) => {
    blocks.push(data);
    const socket = recording && recording.socket;
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(pcm16(data));
  };
  source.connect(node);
  $("record").textContent = "Stop";
  $("record").setAttribute("aria-pressed", "true");
  say("Recording …");
}

function listen(rate) {
  const address = new URL(withToken(`stream?rate=${Math.round(rate)}`), location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(data);
    if (recording) say(answer.probability ? `Recording … ${answer.likeliest} ${percent(answer.probability)}` : "Recording … silence");
  };
  return socket;
}

async function stop() {
  const { stream, context, blocks, socket, timer } = recording;
  recording = null;
  clearTimeout(timer);
  stream.getTracks().forEach((track) => track.stop());
  socket.close();
  const rate = context.sampleRate;
  await context.close();
  $("record").textContent = "Record";
  $("record").setAttribute("aria-pressed", "false");
  const samples = joined(blocks);
  if (samples.length < rate / 2) return complain("Too short: record half a second at least.");
  await ask(new Blob([wavHeader(samples.length, rate), pcm16(samples)], { type: "audio/wav" }), "recording.wav");
}

async function ask(blob, name) {
  complain("");
  say(`Asking about ${name} …`);
  const form = new FormData();
  form.append("file", blob, name);
  try {
    const answer = await fetch(withToken("predict?windows=true"), { method: "POST", body: form });
    const body = await answer.json();
    if (!answer.ok) throw new Error(typeof body.detail === "string" ? body.detail : `status ${answer.status}`);
    show(body);
    await draw(blob, body);
  } catch (error) {
    $("answer").hidden = true;
    say("No answer.");
    complain(`${name}: ${error.message}`);
  }
}

function show(body) {
  $("label").textContent = body.label;
  $("probability").textContent = percent(body.probability);
  $("worth").textContent = body.worth ? `${body.worth[0].toUpperCase()}${body.worth.slice(1)}.` : "";
  $("warnings").replaceChildren(...body.warnings.map((text) => element("li", `Warning: ${text}`)));
  const ranked = Object.entries(body.probabilities).sort((a, b) => b[1] - a[1]);
  $("bars").replaceChildren(...ranked.map(([label, value]) => {
    const row = document.createElement("tr"), head = element("th", label), bar = document.createElement("td"), fill = document.createElement("span");
    head.scope = "row";
    bar.className = "bar";
    fill.style.width = `${100 * value}%`;
    bar.append(fill);
    row.append(head, element("td", percent(value)), bar);
    return row;
  }));
  $("answer").hidden = false;
  say(`${body.file}: ${body.label}, ${percent(body.probability)}.`);
}

async function draw(blob, body) {
  const context = new OfflineAudioContext(1, 1, 16000);
  let audio;
  try { audio = await context.decodeAudioData(await blob.arrayBuffer()); } catch { $("pictures").hidden = true; return; }
  $("pictures").hidden = false;
  const samples = audio.getChannelData(0);
  waveform(samples);
  spectrogram(samples);
  timeline(body);
}

function canvas(id) {
  const found = $(id), scale = window.devicePixelRatio || 1;
  // Set once from the markup, in CSS pixels: setting the drawing's own height changes the attribute.
  found.dataset.height ||= found.getAttribute("height");
  const width = found.clientWidth, height = Number(found.dataset.height);
  found.style.height = `${height}px`;
  found.width = width * scale;
  found.height = height * scale;
  const brush = found.getContext("2d");
  brush.scale(scale, scale);
  return { brush, width, height };
}

function waveform(samples) {
  const { brush, width, height } = canvas("waveform");
  const size = samples.length / width;
  brush.fillStyle = getComputedStyle(document.body).color;
  for (let x = 0; x < width; x++) {
    let low = 0, high = 0;
    for (let i = Math.floor(x * size); i < Math.floor((x + 1) * size); i++) {
      low = Math.min(low, samples[i]);
      high = Math.max(high, samples[i]);
    }
    brush.fillRect(x, (1 - high) * height / 2, 1, Math.max(1, (high - low) * height / 2));
  }
}

function spectrogram(samples) {
  const { brush, width, height } = canvas("spectrogram");
  const size = 512, bins = size / 2, real = new Float32Array(size), imaginary = new Float32Array(size);
  for (let x = 0; x < width; x++) {
    const start = Math.floor(x * Math.max(0, samples.length - size) / width);
    for (let i = 0; i < size; i++) {
      real[i] = (samples[start + i] || 0) * (0.5 - 0.5 * Math.cos(2 * Math.PI * i / size));
      imaginary[i] = 0;
    }
    fourier(real, imaginary);
    for (let y = 0; y < height; y++) {
      const bin = Math.floor((1 - y / height) * (bins - 1));
      const level = 10 * Math.log10(real[bin] ** 2 + imaginary[bin] ** 2 + 1e-9);
      const shade = Math.max(0, Math.min(1, (level + 50) / 80));
      brush.fillStyle = `hsl(${260 - 210 * shade} 80% ${8 + 72 * shade}%)`;
      brush.fillRect(x, y, 1, 1);
    }
  }
}

// Cooley and Tukey's transform in place, for a power of two.
function fourier(real, imaginary) {
  const size = real.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j], real[i]];
      [imaginary[i], imaginary[j]] = [imaginary[j], imaginary[i]];
    }
  }
  for (let length = 2; length <= size; length <<= 1) {
    const angle = -2 * Math.PI / length;
    for (let start = 0; start < size; start += length) {
      for (let k = 0; k < length / 2; k++) {
        const [c, s] = [Math.cos(angle * k), Math.sin(angle * k)], a = start + k, b = a + length / 2;
        const [x, y] = [real[b] * c - imaginary[b] * s, real[b] * s + imaginary[b] * c];
        [real[b], imaginary[b]] = [real[a] - x, imaginary[a] - y];
        real[a] += x;
        imaginary[a] += y;
      }
    }
  }
}

function timeline(body) {
  const { brush, width, height } = canvas("timeline");
  const labels = Object.keys(body.probabilities), end = Math.max(...body.windows.map((w) => w.end), 0.001);
  const place = (w) => (w.start + w.end) / 2 / end * width;
  labels.forEach((label, number) => {
    brush.strokeStyle = brush.fillStyle = COLOURS[number % COLOURS.length];
    brush.lineWidth = 2;
    brush.beginPath();
    let drawn = false;
    for (const w of body.windows) {
      const value = w.probabilities[label];
      if (value === undefined) { drawn = false; continue; }
      const [x, y] = [place(w), (1 - value) * (height - 8) + 4];
      if (drawn) brush.lineTo(x, y); else brush.moveTo(x, y);
      brush.fillRect(x - 2, y - 2, 4, 4);
      drawn = true;
    }
    brush.stroke();
  });
  $("legend").replaceChildren(...labels.map((label, number) => {
    const entry = document.createElement("span"), mark = document.createElement("i");
    mark.style.background = COLOURS[number % COLOURS.length];
    entry.append(mark, ` ${label}`);
    return entry;
  }));
  $("timeline").setAttribute("aria-label", `Probabilities over time: ${body.windows.map((w) => `${w.start} s ${w.label}`).join(", ")}`);
  $("windows").replaceChildren(...body.windows.map((w) => {
    const row = document.createElement("tr");
    row.append(element("td", `${w.start}–${w.end}`), element("td", w.label), element("td", w.probability === null ? "–" : percent(w.probability)));
    return row;
  }));
}

function element(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

function joined(blocks) {
  const whole = new Float32Array(blocks.reduce((count, block) => count + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

function pcm16(samples) {
  const view = new DataView(new ArrayBuffer(2 * samples.length));
  samples.forEach((value, i) => view.setInt16(2 * i, Math.max(-32768, Math.min(32767, Math.round(32768 * value))), true));
  return view.buffer;
}

function wavHeader(count, rate) {
  const view = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * count, true);
  return view.buffer;
}

$("record").addEventListener("click", () => (recording ? stop() : record()));
$("file").addEventListener("change", ({ target }) => target.files[0] && ask(target.files[0], target.files[0].name));
const drop = $("drop");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const file = event.dataTransfer.files[0];
  if (file) ask(file, file.name);
});
describe();
