// A tweed coat on a wooden hanger before a plain wall. Units: centimetres.
#version 3.7;
#include "garment.inc"
global_settings { assumed_gamma 1.0 max_trace_level 5 IndirectLight(40, 1, 1.0) }
#default { finish { ambient 0 diffuse 0.85 } }

camera { location <-38, 96, -330> right x * 3/4 up y angle 26.5 look_at <1, 86, 0> }
SoftLight(<-210, 230, -230>, <0, 90, 0>, 90, 90, srgb <1, 0.96, 0.90> * 1.22, 5)
light_source { <240, 140, -260> srgb <0.82, 0.90, 1> * 0.42 shadowless }
sky_sphere { pigment { rgb 0.32 } }

plane { -z, -22 pigment { bozo turbulence 0.7 color_map { [0 srgb <0.66, 0.69, 0.69>] [1 srgb <0.70, 0.73, 0.73>] } scale 60 } normal { bumps 0.03 scale 6 } }
plane { y, -120 pigment { srgb <0.6, 0.5, 0.4> } }

// Colours of the cloth.
#declare Pale = srgb <0.73, 0.60, 0.43>;
#declare Deep = srgb <0.50, 0.35, 0.21>;
#macro Tweed(Rows, Steep)
  texture {
    Zigzag(Rows, Rows * Steep, Pale, Deep)
    normal { granite 0.25 scale 1.2 }
    finish { diffuse 0.9 specular 0.02 roughness 0.3 }
  }
  texture { pigment { granite color_map { [0 rgbt 1] [0.62 rgbt 1] [0.68 srgbt <0.30, 0.18, 0.10, 0.35>] [1 srgbt <0.95, 0.88, 0.74, 0.3>] } scale 3 } finish { diffuse 0.9 } }
#end

// Body of the coat: hem at 8, shoulder line at 143.
#declare Sizes = array[9] {
  <0, 34, 10.5, 0>, <20, 33, 10.2, 0>, <50, 30, 9.6, 0>, <80, 27.5, 9.4, 0>, <105, 27.5, 10.2, 0>, <122, 27.5, 9.6, 0>,
  <134, 23, 7.8, 0.4>, <141, 15, 6.2, 1>, <147, 8.6, 5.6, 1.8>
}
#declare Body = SizeCurve(Sizes)
#declare Hem = 8;
// How far the front edge stands from the middle, in radians: closed below the button, open above.
#macro Edge(H) (H < 92 ? 0.10 : 0.10 + 0.42 * pow((H - 92) / 52, 1.15)) #end
#macro Folds(A, H)
  #local K = max(0, 1 - H / 105);
  (K * (2.4 * sin(A * 7 + 0.4) + 0.8 * sin(A * 13 + H * 0.02)) + 0.35 * sin(H * 0.16 + A * 3) * (1 - K))
#end
// Right half and left half overlap in front below the button.
#macro Panel(Side)
  #macro Pt(U, V)
    #local H = Hem + V * (146.5 - Hem);
    #local G = (Side > 0 ? Edge(H) - (H < 92 ? 0.20 : 0.20 * max(0, 1 - (H - 92) / 14)) : Edge(H) - 0.06);
    #local A = Side * (G + U * (pi - G));
    OnBody(Body, A, H, Folds(A, H) + (Side > 0 ? 0.7 * pow(1 - min(max(U, 0), 1), 3) : -0.3 * pow(1 - min(max(U, 0), 1), 3)))
  #end
  SurfaceMesh(0, 1, 0, 1, 110, 110)
#end
object { Panel(-1) Tweed(38, 5.2) }
object { Panel(1) Tweed(38, 5.2) }
// Lining seen in the open neck.
#macro Pt(U, V)
  #local H = 84 + V * 61;
  OnBody(Body, 0.75 + U * (2 * pi - 1.5), H, -0.8)
#end
object { SurfaceMesh(0, 1, 0, 1, 60, 40) pigment { srgb <0.30, 0.13, 0.12> } finish { specular 0.25 roughness 0.05 } }

// Lapels fold out from the front edge.
#macro Lapel(Side)
  #macro Pt(U, V)
    #local H = 93 + V * 44;
    #local W = 0.42 * pow(sin(pi * 0.5 * min(1, max(V, 0) * 1.12)), 1.2) + 0.015;
    #local A = Side * (Edge(H) - 0.05 + U * W);
    OnBody(Body, A, H + U * 2.5 * V, 1.0 + 1.5 * sin(pi * min(max(U, 0), 1)) + 0.5 * (1 - U))
  #end
  SurfaceMesh(0, 1, 0, 1, 24, 50)
#end
object { Lapel(-1) Tweed(7, 10) }
object { Lapel(1) Tweed(7, 10) }
// Collar.
#macro Pt(U, V)
  #local A = 0.78 + U * (2 * pi - 1.56);
  #local F = 0.5 - 0.5 * cos(A);
  #local P = OnBody(Body, A, 145.5, 0.6 + 4.6 * V * V);
  <P.x, 148 + 1.5 * F - 11 * V * V + (1 - F) * -3.5 + 1.6 * sin(pi * min(max(V, 0), 1)), P.z - 0.5 * (1 - F)>
#end
object { SurfaceMesh(0, 1, 0, 1, 80, 20) Tweed(26, 0.7) }

// Sleeves hang down with a slight bend.
#macro Sleeve(Side)
  #local Way = spline { natural_spline
    -0.1, <Side * 11, 132, 0.5> 0, <Side * 16.5, 131, 0.3> 0.07, <Side * 21.6, 127.6, 0> 0.15, <Side * 25.6, 119, -0.6> 0.4, <Side * 29.6, 97, -2.6> 0.7, <Side * 31.8, 76, -6> 1, <Side * 32.6, 52, -10.5> 1.1, <Side * 32.7, 45, -12> }
  #local Girth = spline { natural_spline
    -0.1, <3, 0, 0> 0, <4.6, 0, 0> 0.07, <6.5, 0, 0> 0.15, <7.5, 0, 0> 0.4, <7.2, 0, 0> 0.7, <6.7, 0, 0> 1, <6.3, 0, 0> 1.1, <6.2, 0, 0> }
  Tube(Way, Girth, 0.82, 0.05, 90, 44)
#end
#declare SleeveCloth = texture { SleeveZigzag(4.6, 128, Pale, Deep) normal { granite 0.25 scale 1.2 } finish { diffuse 0.9 } }
object { Sleeve(-1) texture { SleeveCloth } }
object { Sleeve(1) texture { SleeveCloth } }

// Pocket flaps and buttons.
#macro Flap(Side)
  #macro Pt(U, V)
    #local H = 66 - V * 6.5 - 0.8 * sin(pi * min(max(U, 0), 1)) * V;
    #local A = Side * (0.42 + U * 0.52);
    OnBody(Body, A, H + Side * 0, Folds(A, H) + 0.9 + 0.5 * V)
  #end
  SurfaceMesh(0, 1, 0, 1, 30, 12)
#end
object { Flap(-1) Tweed(7, 1.5) }
object { Flap(1) Tweed(7, 1.5) }
#macro Button(H)
  union {
    difference {
      union { cylinder { 0, <0, 0, -0.7>, 1.55 } torus { 1.5, 0.35 rotate x * 90 translate z * -0.6 } }
      #for (I, 0, 3) cylinder { <0.42, 0.42, -2>, <0.42, 0.42, 1>, 0.2 rotate z * I * 90 } #end
    }
    pigment { granite color_map { [0 srgb <0.20, 0.11, 0.06>] [1 srgb <0.42, 0.25, 0.13>] } scale 4 }
    finish { specular 0.5 roughness 0.02 }
    #local P = OnBody(Body, -0.02, H, Folds(0, H));
    translate <-2.4, H, P.z - 1.5>
  }
#end
Button(90) Button(71) Button(52)

// Hanger and peg rail.
#declare Wood = texture { Oak(srgb <0.74, 0.55, 0.36>, srgb <0.58, 0.40, 0.24>, 0.3) scale 8 }
#declare Metal = texture { pigment { srgb <0.75, 0.62, 0.40> } finish { metallic diffuse 0.4 specular 0.7 roughness 0.02 reflection { 0.35 metallic } } }
union {
  sphere_sweep { cubic_spline 7 <-24, 128, 1>, 1.5 <-20, 134, 1>, 1.5 <-9, 142, 1>, 1.4 <0, 145.6, 1>, 1.5 <9, 142, 1>, 1.4 <20, 134, 1>, 1.5 <24, 128, 1>, 1.5 }
  texture { Wood } interior { ior 1.5 }
}
union {
  cylinder { <0, 145, 1>, <0, 154, 1>, 0.38 }
  #for (I, 0, 40)
    #local A = radians(-90 + I * 6);
    sphere { <3.4 * cos(A) , 157.4 + 3.4 * sin(A), 1>, 0.38 }
    cylinder { <3.4 * cos(A) , 157.4 + 3.4 * sin(A), 1>, <3.4 * cos(A + radians(6)) , 157.4 + 3.4 * sin(A + radians(6)), 1>, 0.38 }
  #end
  texture { Metal }
}
object { SoftBox(<-140, 157, 18>, <140, 168, 22>, 0.6) texture { Wood } }
#for (I, -1, 1)
  union { cylinder { <0, 0, 20>, <0, 1.2, -3>, 1.3 } sphere { 0, 2.1 scale <1, 1, 0.6> translate <0, 1.2, -3> } texture { Wood rotate y * 90 } translate <I * 46, 159.1, 0> }
#end
