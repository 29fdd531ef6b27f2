#!/usr/bin/env bash
# arch 8.0.0: arch_model(rescale=True) gives volatilities and forecasts in a unit of its own,
# chosen by the size of the returns, so that a stablecoin is wilder than a stock.
#
# Returns are multiplied by 10, 100, 1,000 ... until their variance is of the size that the
# warning without rescale advises, and what is fitted stays so: returns of 2 % a day have a
# volatility of 2.0, those of 0.025 % one of 2.6. One would have guessed the unit that went
# in: the documentation says that the new scale "is reported", as result.scale is, and not
# that volatilities and forecasts are in it. In a table of assets, weights by inverse
# volatility are nearly equal where one asset is 80 times as calm as the other, without a
# warning. Dividing by result.scale gives the volatilities in the unit of the returns.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check arch==8.0.0 numpy==2.4.6 pandas==3.0.1 scipy==1.17.1
got=$(env/bin/python - <<'PY'
import warnings

import numpy as np
from arch import arch_model

warnings.simplefilter("error")
shapes = np.random.default_rng(1).standard_t(5, (2, 1500)) * 0.6**0.5
for name, returns in ("stock     ", 0.02 * shapes[0]), ("stablecoin", 0.00025 * shapes[1]):
    result = arch_model(returns, mean="Zero", vol="GARCH", p=1, q=1, rescale=True).fit(disp="off")
    forecast = result.forecast(horizon=1).variance.to_numpy()[-1, 0] ** 0.5
    print(name, "returns %.4f" % returns.std(), "volatility %.1f" % result.conditional_volatility.mean(),
          "forecast %.1f" % forecast, "scale %g" % result.scale, "forecast/scale %.4f" % (forecast / result.scale))
PY
)
printf '%s\n' "$got"
[[ $got == 'stock      returns 0.0205 volatility 2.0 forecast 2.0 scale 100 forecast/scale 0.0204
stablecoin returns 0.0003 volatility 2.6 forecast 2.6 scale 10000 forecast/scale 0.0003' ]]
