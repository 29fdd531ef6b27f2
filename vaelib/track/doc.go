// Package track copies training curves to where others look: TensorBoard event
// files beside a run, and an MLflow server. The run's own CSV and JSON stay the
// truth; what is tracked can be lost without loss.
//
// In go plain numbers by step, out come points in every place that is open:
//
//	tracker, err := track.Open(ctx, track.Options{
//		Dir: folder.Path("tensorboard"), Key: hash, Name: "beta 0.5",
//		Params: map[string]string{"beta": "0.5"}, Note: notes,
//	})
//	if err != nil {
//		return err
//	}
//	options.Evaluated = func(p vae.Point) {
//		tracker.Log(p.Step, map[string]float64{"train/total": p.Train.Total, "train/kl": p.Train.KL})
//	}
//	model, history, err := vae.Train(ctx, backend, config, schedule, rows, nil, options)
//	err = errors.Join(err, tracker.Close(err))
//
// # TensorBoard
//
// [Options.Dir] holds one event file, which is appended to. The first point
// that a tracker logs cuts off what an earlier process wrote for this and later
// steps, and a record that a killed process left half-written is cut off too:
// a training that resumes from a checkpoint, and logs from there or from the
// start again, leaves the file that an uninterrupted one would have, byte for
// byte with the default clock.
//
// # MLflow
//
// With the environment variable MLFLOW_TRACKING_URI set to an http or https
// address, points go there as well. MLFLOW_EXPERIMENT_NAME overrules
// [Options.Experiment]. MLFLOW_TRACKING_USERNAME with MLFLOW_TRACKING_PASSWORD,
// or else MLFLOW_TRACKING_TOKEN, are how requests are authorised; they stand in
// no note and no error. A run is found again by its tag vaefolio.key, which is
// [Options.Key], and points are stamped by step, so that a training that
// resumes, or a request that is sent twice, adds nothing twice.
//
// [Attach] copies the files of the finished run there too, where the server keeps
// artifacts itself.
//
// The server is spoken to in the background, each request with a time limit. A
// server that is dead, slow or refuses stops nothing: points wait in a bounded
// queue, those that don't fit are dropped, and one note says so.
package track
