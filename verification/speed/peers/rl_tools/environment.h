// Pendulum of rl_tools, whose state also adds up the rewards of its episode.
#include <rl_tools/rl/environments/pendulum/operations_generic.h>

#include <vector>

namespace counted {
std::vector<double> returns;

template <typename SPEC>
struct State : rl_tools::rl::environments::pendulum::State<SPEC> {
    double ret = 0;
    int steps = 0;
};

template <typename SPEC>
struct Pendulum : rl_tools::rl::environments::Pendulum<SPEC> {
    using Plain = rl_tools::rl::environments::Pendulum<SPEC>;
    using State = counted::State<rl_tools::rl::environments::pendulum::StateSpecification<typename SPEC::T, typename SPEC::TI>>;
};
}  // namespace counted

// Returns of the episodes that ended since the last call; room for `most` of them.
extern "C" __attribute__((visibility("default"))) long take_returns(double* to, long most) {
    long n = 0;
    for (double ret : counted::returns)
        if (n < most) to[n++] = ret;
    counted::returns.clear();
    return n;
}

namespace rl_tools {
template <typename DEVICE, typename SPEC, typename STATE, typename RNG>
static void sample_initial_state(DEVICE& device, const counted::Pendulum<SPEC>& env, typename SPEC::PARAMETERS& parameters, counted::State<STATE>& state, RNG& rng) {
    const typename counted::Pendulum<SPEC>::Plain& plain = env;
    rl::environments::pendulum::State<STATE>& drawn = state;
    sample_initial_state(device, plain, parameters, drawn, rng);
    state.ret = 0;
    state.steps = 0;
}

template <typename DEVICE, typename SPEC, typename STATE, typename ACTION, typename RNG>
typename SPEC::T step(DEVICE& device, const counted::Pendulum<SPEC>& env, typename SPEC::PARAMETERS& parameters, const counted::State<STATE>& state, const Matrix<ACTION>& action, counted::State<STATE>& next_state, RNG& rng) {
    const typename counted::Pendulum<SPEC>::Plain& plain = env;
    const rl::environments::pendulum::State<STATE>& before = state;
    rl::environments::pendulum::State<STATE>& after = next_state;
    const auto seconds = step(device, plain, parameters, before, action, after, rng);
    next_state.ret = state.ret + reward(device, plain, parameters, before, action, after, rng);
    next_state.steps = state.steps + 1;
    if (next_state.steps == plain.EPISODE_STEP_LIMIT) counted::returns.push_back(next_state.ret);
    return seconds;
}
}  // namespace rl_tools

template <typename T, typename TI>
using ENVIRONMENT_FACTORY = counted::Pendulum<rl_tools::rl::environments::pendulum::Specification<T, TI>>;
