// MLflow's clients print addresses such as /#/experiments/1/runs/2. What follows the #
// never reaches the server, so the browser goes on to the page that is meant.
(() => {
  "use strict";

  const PLACE = /^#(\/experiments\/(?:0|[0-9a-f]{32})(?:\/runs\/[0-9a-f]{32})?)(?:[/?]|$)/;

  const follow = () => {
    const found = window.location.hash.match(PLACE);
    if (found) window.location.replace(`/mlflow${found[1]}/`);
  };
  window.addEventListener("hashchange", follow);
  follow();
})();
