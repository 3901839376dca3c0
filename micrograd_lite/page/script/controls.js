// Controls: the slider over the steps, play and pause, the number field, and #step=777 in the address.

const PLAYED = 15000, SLOWEST = 250;  // milliseconds: of a whole run at most, of one step at most

// goTo(index) is called for each move. Returned: a function that shows which step it is, and what is said of it.
function stepControls(trace, goTo) {
  const [slider, number, play, back, on] = ["slider", "number", "play", "back", "on"].map(find);
  const {steps, last} = trace;
  let index = last, playing = 0;
  slider.max = last;
  [number.min, number.max] = [steps[0], steps[last]];

  const stop = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = "Play";
  };
  const start = () => {
    const first = index === last ? 0 : index, apart = Math.min(SLOWEST, PLAYED / (last + 1));
    let began;
    const tick = (now) => {
      began ??= now;
      const place = Math.min(last, first + Math.floor((now - began) / apart));
      if (place !== index) goTo(place);
      if (place === last) stop();
      else playing = requestAnimationFrame(tick);
    };
    play.textContent = "Pause";
    playing = requestAnimationFrame(tick);
  };
  const move = (place) => {
    stop();
    goTo(Math.max(0, Math.min(last, place)));
  };

  play.addEventListener("click", () => playing ? stop() : start());
  back.addEventListener("click", () => move(index - 1));
  on.addEventListener("click", () => move(index + 1));
  slider.addEventListener("input", () => move(Number(slider.value)));
  number.addEventListener("change", () => move(placeOf(steps, Number(number.value))));
  addEventListener("hashchange", () => {
    const place = addressed(steps);
    if (place !== undefined && place !== index) move(place);
  });

  let waiting = 0;
  return (place, said) => {
    index = place;
    slider.value = place;
    slider.setAttribute("aria-valuetext", said);
    number.value = steps[place];
    find("moment").textContent = said;
    clearTimeout(waiting);
    waiting = setTimeout(() => remember(steps[place]), 250);
  };
}

// The place of the step that the address names, if it names one.
function addressed(steps) {
  const found = /^#step=(\d+)$/.exec(location.hash);
  return found ? placeOf(steps, Number(found[1])) : undefined;
}

// Puts the step into the address. A page inside of a notebook has none: there it would be an error.
function remember(step) {
  if (location.protocol !== "about:") history.replaceState(null, "", `#step=${step}`);
}
