// The mask editor's picture: how canvas, regions and masks become what is seen.
const LINEAR = Float32Array.from({ length: 256 }, (_, level) => {
  const c = level / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
});
const FINE = 16383;
const ENCODED = Uint8Array.from({ length: FINE + 1 }, (_, i) => {
  const c = i / FINE;
  return Math.round(255 * (c <= 0.0031308 ? c * 12.92 : 1.055 * c ** (1 / 2.4) - 0.055));
});
const mixed = (inside, outside, share) =>
  ENCODED[((LINEAR[outside] + (LINEAR[inside] - LINEAR[outside]) * share) * FINE + 0.5) | 0];

const compose = (x = 0, y = 0, right = canvas.width, bottom = canvas.height) => {
  const left = Math.max(0, Math.floor(x));
  const top = Math.max(0, Math.floor(y));
  const wide = Math.min(canvas.width, Math.ceil(right)) - left;
  const high = Math.min(canvas.height, Math.ceil(bottom)) - top;
  if (!around || wide <= 0 || high <= 0) return;
  const part = screen.createImageData(wide, high);
  const out = part.data;
  for (let row = 0; row < high; row++) {
    const from = ((top + row) * canvas.width + left) * 4;
    out.set(around.subarray(from, from + wide * 4), row * wide * 4);
  }
  regions.forEach((region) => {
    const mask = region.context.getImageData(left, top, wide, high).data;
    for (let i = 3; i < out.length; i += 4) {
      const cover = mask[i];
      if (!cover) continue;
      const row = Math.floor(i / 4 / wide);
      const at = ((top + row) * canvas.width + left) * 4 + i - row * wide * 4;
      for (let c = 3; c > 0; c--) {
        const inside = region.picture[at - c];
        out[i - c] = cover === 255 ? inside : mixed(inside, out[i - c], cover / 255);
      }
    }
  });
  if (tinted()) regions.forEach((region) => tint(region, out, left, top, wide, high));
  screen.putImageData(part, left, top);
};

const tinted = () => root.querySelector("[data-do=tint]").getAttribute("aria-pressed") === "true";
// A region's mask over the picture: a breath of its tint, and its outline.
const tint = (region, out, left, top, wide, high) => {
  const mask = region.context.getImageData(left - LINE, top - LINE, wide + 2 * LINE, high + 2 * LINE).data;
  const colour = [1, 3, 5].map((i) => parseInt(region.tint.slice(i, i + 2), 16));
  const row = (wide + 2 * LINE) * 4;
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const at = (y + LINE) * row + (x + LINE) * 4 + 3;
      if (!mask[at]) continue;
      const open = (dx, dy) => inPicture(left + x + dx, top + y + dy) && mask[at + dy * row + dx * 4] < 128;
      const outline = mask[at] >= 128 && (open(-LINE, 0) || open(LINE, 0) || open(0, -LINE) || open(0, LINE));
      const share = outline ? 1 : (mask[at] / 255) * 0.1;
      const to = (y * wide + x) * 4;
      for (let c = 0; c < 3; c++) out[to + c] += (colour[c] - out[to + c]) * share;
    }
  }
};
const inPicture = (x, y) => x >= 0 && y >= 0 && x < canvas.width && y < canvas.height;
