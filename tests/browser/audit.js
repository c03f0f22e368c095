// Measures a page as it is drawn. Colours are resolved by painting one pixel, so that light-dark() and color-mix() count
// as what they become; the background is what lies under the text, half-transparent layers included.
() => {
  const LEAST_CONTRAST = 4.5, LEAST_TARGET = 43.5;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const pixel = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((value) => value / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (top, under) => [0, 1, 2].map((i) => (top[i] * top[3] + under[i] * (255 - top[3])) / 255).concat(255);
  const isSeen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = pixel(getComputedStyle(at).backgroundColor);
      if (colour[3]) layers.push(colour);
      if (colour[3] === 255) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 255]);
  };
  const contrast = [], foreign = [], small = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim(), element = texts.currentNode.parentElement;
    if (!text || ["SCRIPT", "STYLE", "OPTION"].includes(element.tagName) || !isSeen(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const box = range.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(element), under = ground(element);
    const ink = over(pixel(element.closest("svg") ? style.fill : style.color), under);
    const [bright, dark] = [luminance(ink), luminance(under)].sort((a, b) => b - a);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < LEAST_CONTRAST) contrast.push(`${text.slice(0, 40)} (${ratio.toFixed(2)})`);
    if (document.documentElement.lang === "es" && !element.closest("[lang=en], code, pre, kbd, .g-mono") && /\b(the|and|of|with|has|was|were|this|not)\b/i.test(text)) foreign.push(text.slice(0, 60));
  }
  for (const element of document.querySelectorAll("button, summary, select, textarea, input:not([type=hidden]), .btn")) {
    if (!isSeen(element)) continue;
    const box = (element.closest("label") ?? element).getBoundingClientRect();
    const reach = Math.max(box.height, element.classList.contains("g-copy") ? box.height + 26 : 0);
    if (box.width > 1 && box.right > 0 && reach < LEAST_TARGET) small.push(`${element.className} ${element.textContent.trim().slice(0, 20)} (${Math.round(reach)})`);
  }
  return { contrast, foreign, small, scrolls: document.documentElement.scrollWidth > innerWidth + 1 };
}
